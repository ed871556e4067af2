#!/usr/bin/env bash
# Usage: ./run.sh [--keep | --down] [--quick] [--json FILE]
#
# Builds FlannelFast, runs it as flanneld with an embedded store on two nodes (network namespaces) of this machine, and shows ping, TCP and
# UDP going through the overlay, measured beside the kernel's own VXLAN device in the same run. Installs what it needs (apt), leaves nothing behind.
#
#   --keep        leave the two nodes up at the end and print how to look inside
#   --down        remove two nodes that --keep left up
#   --quick       one short round instead of three long ones
#   --json FILE   write every measured value to FILE as well
#
# Exit code 0 only if every step worked.
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/common.sh
source "$repository/scripts/common.sh"
# shellcheck source=scripts/two-nodes.sh
source "$repository/scripts/two-nodes.sh"
# shellcheck source=scripts/measure.sh
source "$repository/scripts/measure.sh"

binary=$repository/dist/flannelfast
keep=false down=false rounds=3 seconds=2 json='' inside=false
arguments=("$@")
while (($#)); do
    case $1 in
        --keep) keep=true; shift ;;
        --down) down=true; shift ;;
        --quick) rounds=1 seconds=1; shift ;;
        --json) [[ ${2:-} ]] || usage_error "--json expects a file name"; json=$2; shift 2 ;;
        --as-root) inside=true; shift ;; # how this script calls itself by sudo, see prepare
        -h | --help) print_help "$0"; exit 0 ;;
        *) usage_error "unknown argument '$1'" ;;
    esac
done

# What an ordinary user can do is done as that user: nothing of the build ends up owned by root.
prepare() {
    [[ $(uname -s) == Linux ]] || fail "FlannelFast runs on Linux only"
    require_packages ip=iproute2 iperf3=iperf3 ping=iputils-ping jq=jq flock=util-linux
    "$repository/build.sh"
}

report_daemon() {
    local bytes rss size
    bytes=$(stat -c %s "$binary") rss=$(printf '%s\n' "$(memory_mb udp 1)" "$(memory_mb vxlan 1)" | sort -g | tail -n 1)
    size=$(awk -v b="$bytes" 'BEGIN { printf "%.1f", b / 1e6 }')
    daemon_json=$(jq -n --argjson bytes "$bytes" --argjson ready "$slowest_ready_ms" --argjson rss "$rss" \
        '{binary_bytes: $bytes, ready_ms: $ready, resident_mb: $rss}')
    note "one native binary of $size MB; ready $slowest_ready_ms ms after exec (slowest of four); $rss MB resident after all that"
}

two_nodes() {
    lock_nodes
    trap unlock_nodes EXIT
    if [[ $down == true ]]; then
        nodes_exist || { note "there are no two nodes"; return; }
        nodes_down
        note "the two nodes are gone"
        return
    fi
    if nodes_exist; then
        step "removing the two nodes of an earlier run"
        nodes_down
    fi
    [[ -c /dev/net/tun ]] || modprobe tun 2>/dev/null || true
    [[ -c /dev/net/tun ]] || fail "/dev/net/tun is missing: load the tun module (modprobe tun), or give this container the device"

    trap 'nodes_down; unlock_nodes' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap 'exit 129' HUP

    step "two nodes, joined by a veth pair"
    underlay_up
    kernel_vxlan_up
    note "ff-node1 192.0.2.1 and ff-node2 192.0.2.2, with the kernel's VXLAN device for comparison"

    step "flanneld on both, for udp and for vxlan"
    local encap node ready_ms slowest_ready_ms=0
    stores_up
    for encap in udp vxlan; do
        for node in 1 2; do
            flanneld_up "$encap" "$node"
            ((ready_ms <= slowest_ready_ms)) || slowest_ready_ms=$ready_ms
        done
        note "$encap: up on both nodes, device $(device_of "$encap"), MTU $(ip -n ff-node1 -json link show "$(device_of "$encap")" | jq '.[0].mtu')"
    done

    step "measuring $rounds times: $seconds s TCP and $seconds s UDP on each of ${#contenders[@]} paths"
    measure_rounds
    print_table
    local daemon_json
    report_daemon
    if [[ $json ]]; then
        write_json "$json"
        note "every value: $json"
    fi
    if [[ $keep == true ]]; then
        trap unlock_nodes EXIT
        print_keep_help
    fi
}

if [[ $inside == false && $down == false ]]; then
    prepare
fi
if ((EUID != 0)); then
    # The rest makes namespaces and devices. exec: signals reach the one process that cleans up.
    command -v sudo >/dev/null || fail "network namespaces need root, and sudo is not installed: run ./run.sh as root"
    note "network namespaces need root: continuing with sudo"
    exec sudo "$repository/run.sh" --as-root "${arguments[@]}"
fi
two_nodes
