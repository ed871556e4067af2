#!/bin/sh
# Turns what flanneld found out (subnet.env) into options for the Docker daemon, for an EnvironmentFile= of its unit.
# "flannelfast docker-opts" does the same without a shell.
#
# Every variable of this script begins with mk_, so that it and the sourced file cannot meet by accident.

usage() {
    printf '%s\n' "Usage: $0 [-f FLANNEL-ENV-FILE] [-d DOCKER-ENV-FILE] [-i] [-c] [-m] [-k COMBINED-KEY]

Writes the options of the Docker daemon that fit this host's flannel subnet.

    -f FILE  what flanneld wrote; default /run/flannel/subnet.env
    -d FILE  where to write to; default /run/docker_opts.env
    -i       one variable for each option: DOCKER_OPT_BIP, DOCKER_OPT_IPMASQ, DOCKER_OPT_MTU
    -c       one variable for all options together
    -k NAME  name of that one variable; default DOCKER_OPTS
    -m       leave out --ip-masq, for a Docker too old to know it

Without -i and -c both kinds are written." >&2
    exit 1
}

fail() {
    printf '%s\n' "$1" >&2
    exit 1
}

# quoted VALUE: as it must stand between double quotes, for a shell and for systemd alike (systemd.exec(5), EnvironmentFile=).
# The x keeps line ends at the end of the value, which $( ) would take away.
quoted() {
    printf '%sx' "$1" | sed 's/[\\"$`]/\\&/g'
}

mk_source=/run/flannel/subnet.env
mk_target=/run/docker_opts.env
mk_key=DOCKER_OPTS
mk_each=false
mk_all=false
mk_masquerade=true
while getopts 'f:d:icmk:?h' mk_flag; do
    case $mk_flag in
        f) mk_source=$OPTARG ;;
        d) mk_target=$OPTARG ;;
        i) mk_each=true ;;
        c) mk_all=true ;;
        m) mk_masquerade=false ;;
        k) mk_key=$OPTARG ;;
        *) usage ;;
    esac
done
if [ $mk_each = false ] && [ $mk_all = false ]; then
    mk_each=true
    mk_all=true
fi
case $mk_key in
    '' | [!A-Za-z_]* | *[!A-Za-z0-9_]*) fail "-k: expected the name of a variable, not \"$mk_key\"" ;;
esac

if [ -f "$mk_source" ]; then
    # A name without a slash would be looked up in PATH.
    case $mk_source in
        */*) ;;
        *) mk_source=./$mk_source ;;
    esac
    # shellcheck source=/dev/null
    . "$mk_source"
fi
# An editor on another system leaves line ends that a shell takes for a part of the value.
mk_return=$(printf '\r')
FLANNEL_SUBNET=${FLANNEL_SUBNET%"$mk_return"}
FLANNEL_MTU=${FLANNEL_MTU%"$mk_return"}
FLANNEL_IPMASQ=${FLANNEL_IPMASQ%"$mk_return"}

# DOCKER_OPT_* are read below, by what "set" lists.
# shellcheck disable=SC2034
{
    [ -z "$FLANNEL_SUBNET" ] || DOCKER_OPT_BIP="--bip=$FLANNEL_SUBNET"
    [ -z "$FLANNEL_MTU" ] || DOCKER_OPT_MTU="--mtu=$FLANNEL_MTU"
    if [ $mk_masquerade = true ] && [ -n "$FLANNEL_IPMASQ" ]; then
        # One of both has to do it, not both.
        case $FLANNEL_IPMASQ in
            true) DOCKER_OPT_IPMASQ=--ip-masq=false ;;
            false) DOCKER_OPT_IPMASQ=--ip-masq=true ;;
            *) fail "Invalid value of FLANNEL_IPMASQ: $FLANNEL_IPMASQ" ;;
        esac
    fi
}

eval "mk_options=\${$mk_key-}"
[ -z "$mk_options" ] || mk_options="$mk_options "
mk_text=
mk_newline='
'
for mk_name in $(set | sed -n 's/^\(DOCKER_OPT_[A-Za-z0-9_]*\)=.*/\1/p' | LC_ALL=C sort -u); do
    # A line of another variable's value may look like an assignment.
    eval "[ \"\${$mk_name+set}\" ]" || continue
    eval "mk_value=\$$mk_name"
    mk_options="$mk_options $mk_value"
    if [ $mk_each = true ]; then
        mk_value=$(quoted "$mk_value")
        mk_text="$mk_text$mk_name=\"${mk_value%x}\"$mk_newline"
    fi
done
if [ $mk_all = true ]; then
    mk_options=$(quoted "$mk_options")
    mk_text="$mk_text$mk_key=\"${mk_options%x}\"$mk_newline"
fi
printf '%s' "$mk_text" >"$mk_target" || fail "cannot write $mk_target"

# A network of the underlay with the pods' addresses would take their packets. A route without "via" is the bridge's own.
case $FLANNEL_SUBNET in
    *.*.*.*/*)
        mk_length=${FLANNEL_SUBNET#*/}
        mk_address=${FLANNEL_SUBNET%/*}
        mk_last=${mk_address##*.}
        case $mk_last$mk_length in
            *[!0-9]*) ;;
            *)
                mk_subnet=${mk_address%.*}.$((mk_last - 1))/$mk_length
                mk_route=$(ip -o -4 route show exact "$mk_subnet" 2>/dev/null | grep via)
                [ -z "$mk_route" ] || fail "Your routing table already contains the subnet: $mk_route"
                ;;
        esac
        ;;
esac
