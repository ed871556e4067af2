#!/usr/bin/env bash
# Usage: ./build.sh [--arch x64|arm64] [--framework net10.0|net9.0] [--force]
#
# Publishes dist/flannelfast with NativeAOT, its symbols beside it (dist/flannelfast.dbg), and what goes with it: dist/flanneld, a link
# to it that acts as flanneld, and dist/mk-docker-opts.sh. Does nothing when it is up to date.
#
#   --arch A        x64 or arm64; default: this machine's. Where no cross compiler can be restored for another
#                   architecture, only the IL is compiled for it (dist/linux-A-il/), and that is said.
#   --framework F   default: net10.0 if its NativeAOT runtime package restores, else net9.0.
#   --force         publish even if nothing changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=scripts/common.sh
source scripts/common.sh

case $(uname -m) in
    x86_64) host_arch=x64 ;;
    aarch64) host_arch=arm64 ;;
    *) fail "this machine is a $(uname -m); FlannelFast is built on x86_64 and aarch64" ;;
esac
arch=$host_arch framework='' force=false

while (($#)); do
    case $1 in
        --arch) [[ ${2:-} == x64 || ${2:-} == arm64 ]] || usage_error "--arch expects x64 or arm64"; arch=$2; shift 2 ;;
        --framework) [[ ${2:-} == net10.0 || ${2:-} == net9.0 ]] || usage_error "--framework expects net10.0 or net9.0"; framework=$2; shift 2 ;;
        --force) force=true; shift ;;
        -h | --help) print_help "$0"; exit 0 ;;
        *) usage_error "unknown argument '$1'" ;;
    esac
done

# can_publish FRAMEWORK: whether everything NativeAOT needs restores. The answer is kept per SDK version, but a "no" only when
# the registry answered that the package does not exist (NU1101): being offline proves nothing about tomorrow.
can_publish() {
    local answer log
    answer=artifacts/aot-probe/$(dotnet --version)-$1-linux-$arch
    if [[ ! -e $answer ]]; then
        mkdir -p "${answer%/*}/project"
        # Stands apart from the repository's build settings, so that the probe asks one question only.
        echo '<Project/>' | tee "${answer%/*}/project/Directory.Build.props" >"${answer%/*}/project/Directory.Packages.props"
        cat >"${answer%/*}/project/Probe.csproj" <<XML
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType><TargetFramework>$1</TargetFramework><RuntimeIdentifier>linux-$arch</RuntimeIdentifier>
    <PublishAot>true</PublishAot><CheckEolTargetFramework>false</CheckEolTargetFramework>
  </PropertyGroup>
</Project>
XML
        if log=$(dotnet restore "${answer%/*}/project/Probe.csproj" -v quiet 2>&1); then
            echo yes >"$answer"
        else
            missing_package=$(grep -o 'NU1101: Unable to find package [^ ]*' <<<"$log" | head -n 1 | sed 's/.*package //; s/\.$//') || true
            [[ $missing_package ]] || { missing_package="no answer from the package registry"; return 1; }
            echo "$missing_package" >"$answer"
        fi
    fi
    missing_package=$(<"$answer")
    [[ $missing_package == yes ]]
}

compile_il_only() {
    step "compiling the IL for linux-$arch (no ahead-of-time compiler for it restores: $missing_package)"
    # The trimming and AOT analyzers ask for a runtime pack of the target, which is missing too; the native build has them on.
    quietly dotnet build src/Daemon -c Release -f net10.0 -r "linux-$arch" --no-self-contained -v quiet -warnaserror \
        -p:FlannelFastAotFramework=none -p:IsAotCompatible=false -p:UseAppHost=false -o "dist/linux-$arch-il"
    note "dist/linux-$arch-il/flannelfast.dll compiles; there is NO native binary for linux-$arch"
}

up_to_date() {
    [[ $force == false && -x dist/flannelfast && -e dist/flannelfast.dbg && $(cat dist/.built-as 2>/dev/null) == "$framework linux-$arch" ]] || return 1
    local newer
    newer=$(find src bench/Lab packaging ./*.props global.json build.sh -newer dist/.built-as -print -quit)
    [[ -z $newer ]]
}

report() {
    local bytes
    bytes=$(stat -c %s dist/flannelfast)
    note "dist/flannelfast: $(awk -v b="$bytes" 'BEGIN { printf "%.1f MB", b / 1e6 }') ($framework, linux-$arch); symbols in dist/flannelfast.dbg"
}

require_dotnet
if [[ -z $framework ]]; then
    framework=net10.0
    if ! can_publish net10.0; then
        framework=net9.0 reason=$missing_package
    fi
fi
if [[ $arch != "$host_arch" ]] && ! can_publish "$framework"; then
    compile_il_only
    exit 0
fi
[[ -z ${reason:-} ]] || note "net10.0 cannot be published ahead of time here ($reason): using net9.0"
if up_to_date; then
    note "dist/flannelfast is up to date"
    report
    exit 0
fi

require_linker
step "publishing dist/flannelfast with NativeAOT ($framework, linux-$arch)"
started=$SECONDS
mkdir -p dist artifacts
publish=artifacts/publish-linux-$arch
stamp=$(mktemp -p artifacts)
# -warnaserror: also what MSBuild itself, the trimmer and the ahead-of-time compiler report.
quietly dotnet publish src/Daemon -c Release -f "$framework" -r "linux-$arch" -v quiet -warnaserror \
    -p:FlannelFastAotFramework="$framework" -o "$publish"
# Moved, not copied: a running daemon keeps its old file, and nobody ever sees half a binary.
for file in flannelfast flannelfast.dbg; do
    cp "$publish/$file" "dist/.$file.new"
    mv "dist/.$file.new" "dist/$file"
done
cp packaging/mk-docker-opts.sh dist/
ln -sfn flannelfast dist/flanneld
install -m 0755 packaging/mk-docker-opts.sh dist/mk-docker-opts.sh
echo "$framework linux-$arch" >dist/.built-as
# As old as the moment the build began: a source saved while it ran is built next time.
touch -r "$stamp" dist/.built-as
rm -f "$stamp"
note "took $((SECONDS - started)) s"
report
