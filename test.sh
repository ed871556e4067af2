#!/usr/bin/env bash
# Usage: ./test.sh [PART [RUNNER ARGUMENT …]]
#
# Runs everything that must pass, or one part of it, and installs what it needs (apt; root or sudo).
# The last line is "N passed, N failed"; the exit code is 0 only if something passed and nothing failed.
#
#   shell    shellcheck over every script
#   build    the whole solution for both frameworks, and dist/flannelfast; no warning allowed
#   format   dotnet format, nothing to change
#   unit     tests/*.Tests
#   bench    bench/Micro checks the results of what it measures
#   e2e      tests/EndToEnd: dist/flannelfast in network namespaces (root or sudo)
#
# Further arguments go to the test runner: ./test.sh e2e -class '*PingTests'
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=scripts/common.sh
source scripts/common.sh

parts=(shell build format unit bench e2e)
passed=0 failed=0 failures=()

count() { passed=$((passed + $1)) failed=$((failed + $2)); }

# check NAME COMMAND …: one item that passes when the command does.
check() {
    local name=$1 started=$SECONDS
    shift
    if "$@"; then
        count 1 0
        note "${green}passed${plain}: $name ($((SECONDS - started)) s)"
    else
        count 0 1
        failures+=("$name")
        note "${red}FAILED${plain}: $name ($((SECONDS - started)) s)"
    fi
}

# run_tests PROJECT WRAPPER… -- RUNNER ARGUMENT …: runs one test executable and adds its own count. A runner that dies,
# hangs or finds no test is a failure of its own: its result file is missing or says zero.
run_tests() {
    local project=$1 wrapper=() name results status=0 good bad
    shift
    while [[ $1 != -- ]]; do wrapper+=("$1"); shift; done
    shift
    name=$(basename "$project" .csproj)
    if ! quietly dotnet build "$project" -c Release -v quiet; then
        runner_failed "$name does not build"
        return
    fi
    results=$(mktemp)
    # 25 minutes: the whole of test.sh is promised to end within 30.
    timeout --kill-after=10 1500 "${wrapper[@]}" dotnet "artifacts/bin/$name/release_net10.0/$name.dll" \
        -noLogo -noColor -failSkips -parallel none -xml "$results" "$@" | sed '/\[STARTING\]/d' || status=$?
    good=$(sed -n 's/.*<assembly [^>]* passed="\([0-9]*\)".*/\1/p' "$results" | head -n 1)
    bad=$(sed -n 's/.*<assembly [^>]* failed="\([0-9]*\)".*/\1/p' "$results" | head -n 1)
    mapfile -t -O "${#failures[@]}" failures < <(failed_tests "$results")
    rm -f "$results"
    if [[ -z $good || -z $bad ]]; then
        runner_failed "$name ended without a result (exit code $status)"
    elif ((status != 0 && bad == 0)); then
        runner_failed "$name reports no failed test but ended with exit code $status"
        count "$good" 0
    elif ((good + bad == 0)); then
        runner_failed "$name ran no test"
    else
        count "$good" "$bad"
    fi
}

runner_failed() {
    note "${red}FAILED${plain}: $1"
    failures+=("$1")
    count 0 1
}

# failed_tests RESULTS: "name: message" of each failed test, a line each. A long message keeps its start and its end: of a program that
# failed, these are its command line and what it said.
failed_tests() {
    awk -v RS='<test ' '/result="Fail"/ {
        match($0, /name="[^"]*"/)
        name = substr($0, RSTART + 6, RLENGTH - 7)
        message = ""
        if (match($0, /<message><!\[CDATA\[/)) {
            message = substr($0, RSTART + RLENGTH)
            sub(/\]\]>.*/, "", message)
            gsub(/[ \t\r\n]+/, " ", message)
        }
        print name ": " (length(message) <= 900 ? message : substr(message, 1, 300) " … " substr(message, length(message) - 596))
    }' "$1" | sed 's/&quot;/"/g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g'
}

scripts() { git ls-files -co --exclude-standard -- '*.sh' .ci/run packaging/flanneld-start; }

part_shell() {
    require_packages shellcheck=shellcheck git=git
    local files
    mapfile -t files < <(scripts)
    check "shellcheck of ${#files[@]} scripts" shellcheck -x "${files[@]}"
}

part_build() {
    require_dotnet
    check "solution, both frameworks" quietly dotnet build FlannelFast.sln -c Release -v quiet
    check "dist/flannelfast" ./build.sh
    check "IL for the other architecture" ./build.sh --arch "$([[ $(uname -m) == x86_64 ]] && echo arm64 || echo x64)"
}

part_format() {
    require_dotnet
    check "dotnet format" dotnet format FlannelFast.sln --verify-no-changes --severity warn
}

part_unit() {
    require_dotnet
    # The tests of the system-call layer compile C against the kernel's headers and work in namespaces of their own; those of the store
    # start etcd on loopback addresses of their own, those of the firewall run the real programs.
    require_packages gcc=gcc /usr/include/stdio.h=libc6-dev /usr/include/linux/if_tun.h=linux-libc-dev ip=iproute2 unshare=util-linux \
        sysctl=procps ping=iputils-ping strace=strace dash=dash etcd=etcd-server etcdctl=etcd-client /usr/sbin/iptables-legacy=iptables nft=nftables
    local project
    for project in tests/*.Tests/*.csproj; do
        run_tests "$project" -- "$@"
    done
}

part_bench() {
    require_dotnet
    check "bench/Micro --validate" dotnet run --project bench/Micro -c Release -- --validate
}

part_e2e() {
    require_dotnet
    require_packages ip=iproute2 iperf3=iperf3 ping=iputils-ping ethtool=ethtool tcpdump=tcpdump tshark=tshark \
        strace=strace nft=nftables objdump=binutils nsenter=util-linux script=bsdutils /usr/sbin/iptables-legacy=iptables curl=curl \
        etcd=etcd-server etcdctl=etcd-client systemd-analyze=systemd socat=socat openvpn=openvpn perf=linux-perf
    check "dist/flannelfast" ./build.sh
    # The runner needs root for namespaces; everything it makes stays inside namespaces it made.
    local wrapper=()
    ((EUID == 0)) || wrapper=(sudo env "PATH=$PATH" ${DOTNET_ROOT:+"DOTNET_ROOT=$DOTNET_ROOT"})
    run_tests tests/EndToEnd/FlannelFast.EndToEnd.csproj "${wrapper[@]}" -- -reporter verbose "$@"
}

[[ ${1:-} == -h || ${1:-} == --help ]] && { print_help "$0"; exit 0; }
if (($#)); then
    [[ " ${parts[*]} " == *" $1 "* ]] || usage_error "no part '$1'; parts: ${parts[*]}"
    selected=("$1")
    shift
else
    selected=("${parts[@]}")
fi

for part in "${selected[@]}"; do
    started=$SECONDS
    step "$part"
    "part_$part" "$@"
    note "${dim}$part took $((SECONDS - started)) s${plain}"
done

# Again at the end: a log of thousands of lines is read from there, and often only its end is kept.
if ((failed)); then
    step "failed"
    printf '    %s\n' "${failures[@]}"
fi
echo "$passed passed, $failed failed"
((failed == 0 && passed > 0))
