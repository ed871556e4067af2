# shellcheck shell=bash
# Shared by build.sh, test.sh and run.sh: messages, rights, packages, the .NET SDK. Sourced, never run.

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_UI_LANGUAGE=en
# ethtool, tcpdump and friends live in sbin, which an ordinary user's PATH leaves out on Debian.
export PATH=$PATH:/usr/sbin:/sbin

# Colours only where a person looks (https://no-color.org).
if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
    bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' yellow=$'\e[33m' plain=$'\e[0m'
else
    bold='' dim='' red='' green='' yellow='' plain=''
fi
# shellcheck disable=SC2034  # the scripts that source this use them
readonly bold dim red green yellow plain

step() { printf '%s==>%s %s\n' "$bold" "$plain" "$*"; }
note() { printf '    %s\n' "$*"; }
warn() { printf '%swarning:%s %s\n' "$yellow" "$plain" "$*" >&2; }
fail() { printf '%serror:%s %s\n' "$red" "$plain" "$*" >&2; exit 1; }
usage_error() { printf '%s: %s (see --help)\n' "${0##*/}" "$*" >&2; exit 2; }

# quietly COMMAND …: its output matters only when it fails (dotnet build reports success in six lines even with -v quiet).
quietly() {
    local output
    output=$("$@" 2>&1) || { printf '%s\n' "$output" >&2; return 1; }
}

# Prints a script's own leading comment, which is its help text.
print_help() { sed -n '2,/^[^#]/{/^#/!q;s/^# \{0,1\}//;p}' "$1"; }

as_root() {
    if ((EUID == 0)); then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "'$*' needs root, and sudo is not installed: run ${0##*/} as root"
    fi
}

# require_packages COMMAND-OR-FILE=PACKAGE …: installs by apt what is missing, in one go; silent when nothing is.
require_packages() {
    local item probe package missing=()
    for item in "$@"; do
        probe=${item%%=*} package=${item#*=}
        if [[ $probe == */* ]]; then
            [[ -e $probe ]] && continue
        else
            command -v "$probe" >/dev/null && continue
        fi
        missing+=("$package")
    done
    ((${#missing[@]})) || return 0

    command -v apt-get >/dev/null || fail "missing: ${missing[*]} (there is no apt-get here: install them by hand)"
    step "installing by apt: ${missing[*]}"
    local log
    log=$(mktemp)
    if ! { apt_install "${missing[@]}" || { as_root apt-get update && apt_install "${missing[@]}"; }; } >"$log" 2>&1; then
        tail -n 15 "$log" >&2
        rm -f "$log"
        fail "apt-get install ${missing[*]} failed"
    fi
    rm -f "$log"
}

apt_install() { as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; }

# Puts a .NET SDK that can build this repository (global.json: 10.0) on PATH, by apt where the distribution has one.
require_dotnet() {
    has_sdk() { command -v dotnet >/dev/null && dotnet --list-sdks 2>/dev/null | grep -q '^10\.'; }
    has_sdk && return 0
    # Where dotnet-install.sh puts it by default.
    if [[ -x $HOME/.dotnet/dotnet ]]; then
        export PATH=$HOME/.dotnet:$PATH DOTNET_ROOT=$HOME/.dotnet
        has_sdk && return 0
    fi
    if command -v apt-get >/dev/null; then
        apt-cache show dotnet-sdk-10.0 >/dev/null 2>&1 || as_root apt-get update >/dev/null 2>&1 || true
        if apt-cache show dotnet-sdk-10.0 >/dev/null 2>&1; then
            require_packages dotnet-sdk-10.0-is-missing=dotnet-sdk-10.0
            hash -r
            has_sdk && return 0
        fi
    fi
    fail "the .NET SDK 10 is missing and apt has no dotnet-sdk-10.0 here. Get it with: curl -sSL https://dot.net/v1/dotnet-install.sh | bash -s -- --channel 10.0"
}

# What the ahead-of-time compiler needs to link a binary: a C linker driver, the C runtime's start files, zlib, objcopy for the symbols.
require_linker() {
    require_packages gcc=gcc objcopy=binutils /usr/include/stdio.h=libc6-dev /usr/include/zlib.h=zlib1g-dev
}
