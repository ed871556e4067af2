#!/usr/bin/env bash
# Usage: scripts/with-stock.sh STOCK-FLANNELD [--backend udp|vxlan|host-gw] [--api v2|v3] [-- FLAG …]
#
# Puts dist/flanneld in the place of a stock flanneld on one of two hosts (network namespaces) that share an etcd, and back again, while a
# pod of one pings a pod of the other, and then lets both kinds work together, and FlannelFast alone. In each step TCP and UDP go both ways, between the pods,
# the hosts' own addresses, and host and pod, and must arrive as they were sent, TCP with 50 Mb/s at least. Prints the rates and how many pings were answered; exit code 0
# only if all was as it must be. Needs root, ./build.sh, etcd (asks apt for what is missing), and a stock binary, for example built from flannel's
# sources, whose releases bring all that they need: "go build -mod=vendor" up to v0.20.
#
#   --backend B   default: vxlan
#   --api A       which API of etcd the stock binary speaks: v2 up to flannel 0.17, v3 from 0.18 on; default: v3
#   FLAG …        further flags of dist/flanneld
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/common.sh
source "$repository/scripts/common.sh"

stock='' backend=vxlan api=v3 more=()
while (($#)); do
    case $1 in
        --backend) [[ ${2:-} == udp || ${2:-} == vxlan || ${2:-} == host-gw ]] || usage_error "--backend expects udp, vxlan or host-gw"; backend=$2; shift 2 ;;
        --api) [[ ${2:-} == v2 || ${2:-} == v3 ]] || usage_error "--api expects v2 or v3"; api=$2; shift 2 ;;
        --) shift; more=("$@"); break ;;
        -h | --help) print_help "$0"; exit 0 ;;
        -*) usage_error "unknown argument '$1'" ;;
        *) [[ -z $stock ]] || usage_error "unknown argument '$1'"; stock=$1; shift ;;
    esac
done
[[ -x $stock ]] || usage_error "expected the path of a stock flanneld, not '$stock'"
((EUID == 0)) || fail "network namespaces need root"
require_packages ip=iproute2 ping=iputils-ping etcd=etcd-server etcdctl=etcd-client
[[ -x $repository/dist/flanneld ]] || fail "dist/flanneld is missing: run ./build.sh"
# A proxy of this machine is not on the way between namespaces.
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY

state=$(mktemp -d) router=ff-stock-r daemons=() port=7001
clean_up() {
    local namespace
    # The shell would tell of each program that it was killed.
    exec 2>/dev/null
    for namespace in "$router" ff-stock-{1,2,p1,p2}; do
        [[ -e /run/netns/$namespace ]] || continue
        ip netns pids "$namespace" | xargs -r kill -KILL 2>/dev/null || true
        ip netns del "$namespace"
    done
    rm -rf "$state"
}
trap clean_up EXIT

in_host() { local host=$1; shift; ip netns exec "ff-stock-$host" "$@"; }

hosts_up() {
    local host
    for host in r 1 2 p1 p2; do ip netns add "ff-stock-$host"; ip -n "ff-stock-$host" link set lo up; done
    ip -n "$router" link add br0 type bridge
    ip -n "$router" address add 192.0.2.254/24 dev br0
    ip -n "$router" link set br0 up
    for host in 1 2; do
        ip -n "$router" link add "host$host" type veth peer name eth0 netns "ff-stock-$host"
        ip -n "$router" link set "host$host" master br0 up
        ip -n "ff-stock-$host" address add "192.0.2.$host/24" dev eth0
        ip -n "ff-stock-$host" link set eth0 up
        ip -n "ff-stock-$host" route add default via 192.0.2.254
        in_host "$host" sysctl -qw net.ipv4.ip_forward=1
    done
}

etcd_up() {
    local url=http://192.0.2.254
    ip netns exec "$router" etcd --enable-v2 --data-dir "$state/etcd" --listen-client-urls $url:2379 --advertise-client-urls $url:2379 --listen-peer-urls $url:2380 \
        --initial-advertise-peer-urls $url:2380 --initial-cluster default=$url:2380 >"$state/etcd.log" 2>&1 &
    until etcdctl_in_router "$1" >/dev/null 2>&1; do sleep 0.1; done
}

etcdctl_in_router() {
    local config=$1
    if [[ $api == v2 ]]; then
        ETCDCTL_API=2 in_host r etcdctl --endpoints http://192.0.2.254:2379 set /coreos.com/network/config "$config"
    else
        ETCDCTL_API=3 in_host r etcdctl --endpoints http://192.0.2.254:2379 put /coreos.com/network/config "$config"
    fi
}

# flanneld_up HOST PROGRAM FLAG …: starts one and waits until it has written its file anew.
flanneld_up() {
    local host=$1 program=$2 tick
    shift 2
    [[ ! -e $state/$host.env ]] || cp -p "$state/$host.env" "$state/$host.before"
    [[ ! -e $state/$host.env ]] || touch -d '1 hour ago' "$state/$host.env"
    # "ip" replaces itself by the program, so that $! is the daemon; a function in between would leave a shell there.
    ip netns exec "ff-stock-$host" "$program" -etcd-endpoints=http://192.0.2.254:2379 -iface=eth0 -ip-masq "-subnet-file=$state/$host.env" "$@" >>"$state/$host.log" 2>&1 &
    daemons[host]=$!
    for ((tick = 0; tick < 200; tick++)); do
        [[ -n $(find "$state" -name "$host.env" -mmin -30) ]] && return
        sleep 0.1
    done
    tail -n 20 "$state/$host.log" >&2
    fail "$program did not come up on host $host"
}

flanneld_down() {
    local code=0
    kill "${daemons[$1]}"
    wait "${daemons[$1]}" || code=$?
    ((code == 0)) || note "the flanneld on host $1 ended with $code"
}

pod_up() {
    local host=$1 subnet gateway
    # shellcheck source=/dev/null
    subnet=$(. "$state/$host.env" && echo "$FLANNEL_SUBNET") gateway=${subnet%/*}
    ip -n "ff-stock-$host" link add cni0 type bridge
    ip -n "ff-stock-$host" link add pod type veth peer name eth0 netns "ff-stock-p$host"
    ip -n "ff-stock-$host" link set pod master cni0 up
    ip -n "ff-stock-$host" address add "$subnet" dev cni0
    ip -n "ff-stock-$host" link set cni0 up
    pods[host]=${gateway%.*}.2
    ip -n "ff-stock-p$host" address add "${pods[host]}/24" dev eth0
    ip -n "ff-stock-p$host" link set eth0 up
    ip -n "ff-stock-p$host" route add default via "$gateway"
}

# answered FROM ADDRESS COUNT: how many of so many pings.
answered() { in_host "$1" ping -q -i 0.02 -W 2 -c "$3" "$2" | sed -n 's/.* \([0-9]*\) received.*/\1/p' || true; }

must_answer() {
    local got
    got=$(answered "$2" "$3" 50)
    note "$1: $got of 50 pings answered"
    [[ $got == 50 ]] || fail "$1 lost packets"
}

# own_address HOST: of its flannel device; with host-gw, which has none, of its bridge.
own_address() {
    local subnet
    # shellcheck source=/dev/null
    subnet=$(. "$state/$1.env" && echo "${FLANNEL_SUBNET%/*}")
    if [[ $backend == host-gw ]]; then echo "$subnet"; else echo "${subnet%.*}.0"; fi
}

# listen HOST ADDRESS: takes transfers there; $sink is its process afterwards.
listen() {
    # Here, not by the new process alone: what the last one said must not be found any more.
    : >"$state/sink"
    ip netns exec "ff-stock-$1" "$repository/dist/flannelfast" lab-agent hash-sink --listen "$2:$port" >"$state/sink" 2>>"$state/sink.log" &
    sink=$!
    until grep -q listening "$state/sink"; do
        kill -0 "$sink" 2>/dev/null || { cat "$state/sink.log" >&2; fail "cannot listen on host $1 at $2"; }
        sleep 0.02
    done
}

# rate FROM ADDRESS MB FLAG …: of a transfer, in Mb/s; fails where not all has arrived as it was sent.
rate() {
    local from=$1 address=$2 bytes=$(($3 * 1000000)) result
    shift 3
    result=$(in_host "$from" "$repository/dist/flannelfast" lab-agent hash-source --to "$address:$port" --bytes $bytes "$@") || return
    [[ $result == *'"intact":true'* && $result =~ \"seconds\":([0-9.]+) ]] || { echo "$result" >&2; return 1; }
    awk "BEGIN { printf \"%.0f\", $bytes * 8e-6 / ${BASH_REMATCH[1]} }"
}

# must_carry WHAT: everything from everywhere to everywhere.
must_carry() {
    local way from to address sink tcp udp segmented
    note "$1: Mb/s"
    for way in p1:p2 p2:p1 1:2 2:1 p1:2 p2:1 1:p2 2:p1; do
        from=${way%:*} to=${way#*:}
        if [[ $to == p* ]]; then address=${pods[${to#p}]}; else address=$(own_address "$to"); fi
        listen "$to" "$address"
        tcp=$(rate "$from" "$address" 32 --tcp) || fail "$1: TCP from $from to $to ($address)"
        udp=$(rate "$from" "$address" 4 --udp) || fail "$1: UDP from $from to $to ($address)"
        segmented=$(rate "$from" "$address" 4 --udp --segment) || fail "$1: UDP_SEGMENT from $from to $to ($address)"
        kill "$sink"
        wait "$sink" || fail "$1: what took transfers at $address ended with an error"
        note "    ${from/#p/pod } to ${to/#p/pod }: tcp $tcp, udp $udp, udp in super-packets $segmented"
        ((tcp >= 50)) || fail "$1: TCP from $from to $to crawls"
    done
}

# must_reach: nothing is measured before each knows of the other; stock may take some seconds for it.
must_reach() {
    in_host p1 ping -q -c 1 -w 15 "${pods[2]}" >/dev/null || fail "pod 1 does not reach pod 2"
    in_host p2 ping -q -c 1 -w 15 "${pods[1]}" >/dev/null || fail "pod 2 does not reach pod 1"
}

ours_up() { flanneld_up "$1" "$repository/dist/flanneld" "-control-socket=$state/$1.sock" "${more[@]}"; }

# say PART HOST: of what FlannelFast says of itself, if it has it.
say() { "$repository/dist/flannelfast" status --socket "$state/$2.sock" | sed -n "s/^$1 .*[^)]\$/    &/p; /^$1 (/,/^\$/s/^/    /p"; }

pods=()
hosts_up
etcd_up "{\"Network\": \"10.5.0.0/16\", \"Backend\": {\"Type\": \"$backend\"}}"

step "$backend, etcd $api: stock on both hosts"
flanneld_up 1 "$stock"
flanneld_up 2 "$stock"
pod_up 1
pod_up 2
must_reach
must_answer "stock to stock" p1 "${pods[2]}"
must_carry "stock and stock"

step "host 1: stock, then FlannelFast, then stock again, under 100 pings a second"
ip netns exec ff-stock-p1 ping -q -i 0.01 -W 2 -c 1000 "${pods[2]}" >"$state/ping" &
pinging=$!
sleep 2
flanneld_down 1
ours_up 1
cmp "$state/1.env" "$state/1.before" || fail "FlannelFast has written another subnet.env"
sleep 2
flanneld_down 1
flanneld_up 1 "$stock"
cmp "$state/1.env" "$state/1.before" || fail "stock has written another subnet.env than before"
wait "$pinging" || true
note "$(grep received "$state/ping")"

step "host 1: FlannelFast, host 2: stock"
flanneld_down 1
ours_up 1
sleep 1
must_answer "pod of FlannelFast to pod of stock" p1 "${pods[2]}"
must_answer "pod of stock to pod of FlannelFast" p2 "${pods[1]}"
must_answer "host of FlannelFast to pod of stock" 1 "${pods[2]}"
must_answer "host of stock to pod of FlannelFast" 2 "${pods[1]}"
must_answer "pod of FlannelFast to the world, masqueraded" p1 192.0.2.254
must_carry "FlannelFast and stock"
say leases 1

step "FlannelFast on both hosts"
flanneld_down 2
ours_up 2
must_reach
must_answer "FlannelFast to FlannelFast" p1 "${pods[2]}"
must_carry "FlannelFast and FlannelFast"
say "express lane" 1

step "host 1: stock, host 2: FlannelFast"
flanneld_down 1
flanneld_up 1 "$stock"
must_reach
must_answer "pod of stock to pod of FlannelFast" p1 "${pods[2]}"
must_carry "stock and FlannelFast"
