# shellcheck shell=bash
# Measuring between the two nodes of two-nodes.sh, and the table. Sourced. Every single value goes to $state/values as
# "contender <tab> metric <tab> value"; medians and ratios are made from that file only.
# Needs from its caller: rounds, seconds, daemon_json, and what common.sh and two-nodes.sh define.
# shellcheck disable=SC2154

# The contenders, in the order of the table: key, address with @ for the node's number, name.
readonly contenders=(
    'plain|192.0.2.@|no overlay'
    'kernel|10.7.@.0|kernel VXLAN'
    'udp|10.5.@.0|FlannelFast udp'
    'vxlan|10.6.@.0|FlannelFast vxlan'
)

record() { printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$state/values"; }

# In the background and waited for: a trap of this shell runs at once instead of after the program. Without the lock: a program
# that outlives a killed run must not keep the next one waiting.
interruptible() { "$@" {lock}>&- & wait "$!"; }

measure_ping() {
    local key=$1 address=$2 from=$3 average
    interruptible in_node "$from" ping -q -c 30 -i 0.01 -W 2 -w 10 "$address" >"$state/ping.out" 2>&1 ||
        { cat "$state/ping.out" >&2; fail "ping from ff-node$from to $address ($key) failed"; }
    grep -q ' 0% packet loss' "$state/ping.out" || { cat "$state/ping.out" >&2; fail "ping to $address ($key) lost packets"; }
    average=$(awk -F'[/ ]' '/^(rtt|round-trip)/ { print $8 }' "$state/ping.out")
    record "$key" ping_ms "$average"
}

# run_iperf ADDRESS ARGUMENT …: one iperf3 from node 1 to node 2; client.json and server.json hold what each end saw.
run_iperf() {
    local address=$1 server tick
    shift
    in_node 2 iperf3 --server --one-off --json >"$state/server.json" 2>&1 {lock}>&- &
    server=$!
    for ((tick = 0; tick < 200; tick++)); do
        [[ $(in_node 2 ss -Hltn 'sport = :5201') ]] && break
        sleep 0.01
    done
    # A path that stalls must end as a failure, not as a script that hangs.
    if ! interruptible in_node 1 timeout $((seconds + 15)) iperf3 --json --time "$seconds" --client "$address" "$@" >"$state/client.json" 2>&1; then
        jq -r '.error // empty' "$state/client.json" >&2 || true
        kill "$server" 2>/dev/null || true
        fail "iperf3 $* to $address failed"
    fi
    wait "$server" || fail "the iperf3 server failed: $(jq -r '.error // empty' "$state/server.json")"
}

measure_tcp() {
    run_iperf "$2" --congestion cubic
    record "$1" tcp_gbps "$(jq -e '.end.sum_received.bits_per_second / 1e9 | select(. > 0)' "$state/client.json")"
}

# Counted by the receiving iperf3 and over its own time: what arrived, not what was sent.
measure_udp() {
    run_iperf "$2" --udp --bitrate 0 --length 64
    record "$1" udp_kpps "$(jq -e '.end.sum | (.packets - .lost_packets) / .seconds / 1e3 | select(. > 0)' "$state/server.json")"
}

# Every round visits every contender, each round in another order, so that a change of the machine's mood hits all alike.
measure_rounds() {
    local round i key address name count=${#contenders[@]}
    : >"$state/values"
    for i in "${contenders[@]}"; do
        IFS='|' read -r key address name <<<"$i"
        measure_ping "$key" "${address/@/2}" 1
        measure_ping "$key" "${address/@/1}" 2
    done
    note "ping: both directions answer on all ${count} paths"
    for ((round = 1; round <= rounds; round++)); do
        for ((i = 0; i < count; i++)); do
            IFS='|' read -r key address name <<<"${contenders[(i + round - 1) % count]}"
            measure_tcp "$key" "${address/@/2}"
            measure_udp "$key" "${address/@/2}"
            note "$(printf 'round %d of %d: %-18s TCP %5.2f Gb/s   UDP %5.1f kpps' "$round" "$rounds" "$name" \
                "$(last_value "$key" tcp_gbps)" "$(last_value "$key" udp_kpps)")"
        done
    done
}

last_value() { awk -F'\t' -v k="$1" -v m="$2" '$1 == k && $2 == m { v = $3 } END { print v }' "$state/values"; }

median() {
    awk -F'\t' -v k="$1" -v m="$2" '$1 == k && $2 == m { print $3 }' "$state/values" | sort -g |
        awk '{ v[NR] = $1 } END { if (!NR) exit 1; print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }

print_table() {
    local i key address name tcp udp
    local kernel_tcp kernel_udp
    kernel_tcp=$(median kernel tcp_gbps) kernel_udp=$(median kernel udp_kpps)
    printf '\n%s%-20s %9s   %21s   %25s%s\n' "$bold" '' 'ping' 'TCP, 1 stream, cubic' 'UDP, 64-byte flood' "$plain"
    printf '%-20s %9s   %10s %10s   %14s %10s\n' '' 'avg' 'Gb/s' 'vs kernel' 'kpps delivered' 'vs kernel'
    for i in "${contenders[@]}"; do
        IFS='|' read -r key address name <<<"$i"
        tcp=$(median "$key" tcp_gbps) udp=$(median "$key" udp_kpps)
        printf '%-20s %6.0f us   %10.2f %10s   %14.1f %10s\n' "$name" "$(awk -v ms="$(median "$key" ping_ms)" 'BEGIN { print ms * 1000 }')" \
            "$tcp" "$(ratio "$tcp" "$kernel_tcp")" "$udp" "$(ratio "$udp" "$kernel_udp")"
    done
    printf '%smedians of %d interleaved measurements of %d s on %d CPUs, Linux %s%s\n\n' "$dim" "$rounds" "$seconds" "$(nproc)" "$(uname -r)" "$plain"
}

# write_json FILE: every value, and what it was measured on.
write_json() {
    jq -Rn --arg kernel "$(uname -r)" --argjson cpus "$(nproc)" --argjson rounds "$rounds" --argjson seconds "$seconds" \
        --argjson daemon "$daemon_json" '
        [inputs | split("\t") | {contender: .[0], metric: .[1], value: (.[2] | tonumber)}]
        | {schema: 1, kernel: $kernel, cpus: $cpus, rounds: $rounds, seconds: $seconds, daemon: $daemon,
           contenders: (group_by(.contender) | map({key: .[0].contender,
               value: (group_by(.metric) | map({key: .[0].metric, value: map(.value)}) | from_entries)}) | from_entries)}
        ' <"$state/values" >"$1"
}
