# shellcheck shell=bash
# Two nodes on one machine for run.sh: network namespaces joined by a veth pair, two flannelds on each (udp and vxlan by the packet engine,
# each with an embedded store that both nodes share) and the kernel's own VXLAN device beside them, all at once, each on a pod
# network of its own. Sourced; needs root.
#
#   ff-node1 eth0 192.0.2.1/24 ======= veth ======= 192.0.2.2/24 eth0 ff-node2
#            flannel0  10.5.1.0/32                  10.5.2.0/32  flannel0     FlannelFast, udp, port 8285
#            flannel.2 10.6.1.0/32                  10.6.2.0/32  flannel.2    FlannelFast, vxlan, VNI 2, port 4789
#            flannel.1 10.7.1.0/32                  10.7.2.0/32  flannel.1    kernel VXLAN, port 8472, as flannel configures it
#
# FlannelFast's vxlan has port 4789 here only because the kernel's device holds 8472 in the same namespace. Each node has its subnet
# reserved, so that addresses are the same in every run.
# Needs from its caller: binary (flannelfast; flanneld lies beside it), and what common.sh defines.
# shellcheck disable=SC2154

readonly state=/run/flannelfast-two-nodes
readonly nodes=(ff-node1 ff-node2)

mac_of() { printf '02:00:0a:%02x:00:%02x' "$1" "$2"; } # network's second octet, node

in_node() { local node=$1; shift; ip netns exec "ff-node$node" "$@"; }

# Only one run at a time, and nobody tears down what another still measures. The kernel drops the lock with the process, however
# it ends; the file is removed by its holder, so a lock on a name that is no longer in the directory is worth nothing.
lock_nodes() {
    local held=false
    until [[ $held == true ]]; do
        exec {lock}>"$state.lock"
        flock --nonblock "$lock" || fail "another ./run.sh is at work on the two nodes; wait for it, or end it"
        if [[ $state.lock -ef /proc/$$/fd/$lock ]]; then held=true; else exec {lock}>&-; fi
    done
}

unlock_nodes() { rm -f "$state.lock"; }

nodes_exist() { [[ -e $state || -e /run/netns/${nodes[0]} || -e /run/netns/${nodes[1]} ]]; }

# Removes everything by its recognisable name, so that it also works for what a killed run left behind.
nodes_down() {
    local node pid pids=() deadline=$((SECONDS + 3))
    for node in "${nodes[@]}"; do
        [[ -e /run/netns/$node ]] || continue
        mapfile -t -O "${#pids[@]}" pids < <(ip netns pids "$node")
    done
    # SIGTERM first: a daemon that cleans up is part of what runs here. Then what did not listen.
    for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do
        while kill -0 "$pid" 2>/dev/null && ((SECONDS < deadline)); do sleep 0.02; done
        kill -KILL "$pid" 2>/dev/null || true
    done
    for node in "${nodes[@]}"; do
        if [[ -e /run/netns/$node ]]; then ip netns del "$node"; fi
    done
    rm -rf "$state"
}

underlay_up() {
    local node
    mkdir -m 0755 "$state"
    for node in "${nodes[@]}"; do
        ip netns add "$node"
        ip -n "$node" link set lo up
    done
    ip link add eth0 netns ff-node1 type veth peer name eth0 netns ff-node2
    for node in 1 2; do
        ip -n "ff-node$node" address add "192.0.2.$node/24" dev eth0
        ip -n "ff-node$node" link set eth0 up
    done
}

# flannel's vxlan backend: no learning, every neighbour, forwarding entry and route put there by hand.
kernel_vxlan_up() {
    local node peer
    for node in 1 2; do
        peer=$((3 - node))
        ip -n "ff-node$node" link add flannel.1 address "$(mac_of 7 "$node")" mtu 1450 txqueuelen 0 \
            type vxlan id 1 local "192.0.2.$node" dev eth0 dstport 8472 nolearning
        ip -n "ff-node$node" address add "10.7.$node.0/32" dev flannel.1
        ip -n "ff-node$node" link set flannel.1 up
        ip -n "ff-node$node" neighbour replace "10.7.$peer.0" lladdr "$(mac_of 7 "$peer")" dev flannel.1 nud permanent
        bridge -n "ff-node$node" fdb replace "$(mac_of 7 "$peer")" dev flannel.1 dst "192.0.2.$peer" self permanent
        ip -n "ff-node$node" route replace "10.7.$peer.0/24" via "10.7.$peer.0" dev flannel.1 onlink
    done
}

# stores_up: the network config of each backend, and the nodes' subnets in it.
stores_up() {
    local node
    "$binary" network set --store-dir "$state/udp-store" '{"Network": "10.5.0.0/16", "Backend": {"Type": "udp"}}' >/dev/null
    "$binary" network set --store-dir "$state/vxlan-store" '{"Network": "10.6.0.0/16", "Backend": {"Type": "vxlan", "VNI": 2, "Port": 4789}}' >/dev/null
    for node in 1 2; do
        "$binary" reserve --store-dir "$state/udp-store" "10.5.$node.0/24" --public-ip "192.0.2.$node" >/dev/null
        "$binary" reserve --store-dir "$state/vxlan-store" "10.6.$node.0/24" --public-ip "192.0.2.$node" >/dev/null
    done
}

device_of() { if [[ $1 == udp ]]; then echo flannel0; else echo flannel.2; fi; }

# flanneld_command ENCAP NODE: the command line of one flanneld, in the array `command`.
flanneld_command() {
    # Nothing is forwarded here, and without its rules no firewall program is needed.
    command=("${binary%/*}/flanneld" "-store-dir=$state/$1-store" -iface=eth0 -dataplane=userspace -iptables-forward-rules=false
        "-subnet-file=$state/$1-$2.env" "-control-socket=$state/$1-$2.sock")
}

# flanneld_up ENCAP NODE: starts one flanneld; `ready_ms` is the time from exec until it has leased its subnet, made its device and
# written subnet.env, which it does last before it says READY.
flanneld_up() {
    local name=$1-$2 command began pid tick
    flanneld_command "$1" "$2"
    began=${EPOCHREALTIME/[.,]/}
    # The lock must not live on in a daemon that --keep leaves behind.
    # "ip" replaces itself by the program, so that $! is the daemon; a function in between would leave a shell there.
    ip netns exec "ff-node$2" "${command[@]}" >"$state/$name.log" 2>&1 {lock}>&- &
    pid=$!
    echo "$pid" >"$state/$name.pid"
    for ((tick = 0; tick < 5000; tick++)); do
        if [[ -e $state/$name.env ]]; then
            # shellcheck disable=SC2034  # the caller's
            ready_ms=$(((${EPOCHREALTIME/[.,]/} - began) / 1000))
            disown "$pid"
            return
        fi
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.001
    done
    sed 's/^/    /' "$state/$name.log" >&2
    fail "flanneld ($1) did not come up on ff-node$2: ${command[*]}"
}

# memory_mb ENCAP NODE: the resident memory of that flanneld.
memory_mb() { awk '/^VmRSS:/ { printf "%.1f", $2 / 1024 }' "/proc/$(<"$state/$1-$2.pid")/status"; }

print_keep_help() {
    local command
    step "the two nodes stay up; look inside with"
    note "ip netns exec ff-node1 ip -details address"
    note "ip netns exec ff-node1 ping 10.5.2.0                       # FlannelFast udp; 10.6.2.0 is its vxlan, 10.7.2.0 the kernel's"
    note "$binary status --socket $state/udp-1.sock"
    note "$binary leases --store-dir $state/udp-store"
    note "ip netns exec ff-node2 iperf3 -s -D && ip netns exec ff-node1 iperf3 -C cubic -c 10.5.2.0"
    note "ip netns exec ff-node1 tcpdump -ni eth0 udp port 8285"
    flanneld_command udp 1
    note "started as: ${command[*]}"
    note "remove them with: ./run.sh --down"
}
