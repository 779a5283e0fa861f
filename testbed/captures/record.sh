#!/bin/bash
# Records the captures of this folder: real clients and servers in two network namespaces, seen at the
# client's interface, both directions. Needs root and: iproute2 ethtool tcpdump wireshark-common (dumpcap)
# nginx curl dnsmasq dnsutils iperf3 iputils-ping.
#
# usage: record.sh [NAME ...]     NAME is one of the recordings below; none is all of them
#
# Everything lives under a random run id and is torn down at the end, also after a failure.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
id=$(od -An -N3 -tx1 /dev/urandom | tr -d ' \n')
client=penstock-c-$id
server=penstock-s-$id
work=$(mktemp -d "/tmp/penstock-record-$id.XXXX")
pids=()

web4=198.51.100.10 dns4=198.51.100.20 web6=2001:db8:100::10 dns6=2001:db8:100::20
clients=40 # addresses per family: 203.0.113.11 and 2001:db8:c::11 onwards

teardown() {
    local status=$?
    trap - EXIT
    set +e
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; done
    ip netns del "$client" 2>/dev/null
    ip netns del "$server" 2>/dev/null
    [ "$status" -eq 0 ] || { echo "record.sh: failed; the servers' words:" >&2; cat "$work"/*.log >&2 2>/dev/null; }
    rm -rf "$work"
    exit "$status"
}
trap teardown EXIT

in_client() { ip netns exec "$client" "$@"; }
in_server() { ip netns exec "$server" "$@"; }

# Starts a command in the background and notes its process id.
daemon() { # LOG COMMAND...
    local log=$work/$1.log
    shift
    "$@" >"$log" 2>&1 &
    pids+=($!)
}

# Waits until a command succeeds, five seconds at most.
until_ok() {
    for _ in $(seq 100); do
        if "$@" >/dev/null 2>&1; then return; fi
        sleep 0.05
    done
    echo "record.sh: gave up waiting for: $*" >&2
    return 1
}

# One cable. The server holds the VIPs itself, so the captures show what a load balancer in its place would see.
cable() {
    ip netns add "$client"
    ip netns add "$server"
    ip link add c0 netns "$client" address 02:00:00:00:00:c1 type veth \
        peer name s0 netns "$server" address 02:00:00:00:00:01
    for end in "$client c0" "$server s0"; do
        read -r space link <<<"$end"
        # Frames as a wire has them: whole checksums, nothing longer than the MTU.
        ip netns exec "$space" ethtool -K "$link" tx off rx off tso off gso off gro off >/dev/null
        ip netns exec "$space" sysctl -qw "net.ipv6.conf.$link.accept_dad=0"
        ip -n "$space" link set lo up
        ip -n "$space" link set "$link" up
    done
    ip -n "$server" addr add 203.0.113.1/24 dev s0
    ip -n "$server" addr add 2001:db8:c::1/64 dev s0 nodad
    for vip in $web4 $dns4; do ip -n "$server" addr add "$vip/32" dev lo; done
    for vip in $web6 $dns6; do ip -n "$server" addr add "$vip/128" dev lo nodad; done
    for n in $(seq 11 $((10 + clients))); do
        ip -n "$client" addr add "203.0.113.$n/24" dev c0
        ip -n "$client" addr add "2001:db8:c::$n/64" dev c0 nodad
    done
    ip -n "$client" route add 198.51.100.0/24 via 203.0.113.1
    ip -n "$client" route add 2001:db8:100::/64 via 2001:db8:c::1
}

servers() {
    mkdir -p "$work/www"
    for size in 100 500 1000 10000 50000; do
        head -c "$size" <(yes 'penstock leads the water to the wheel') >"$work/www/$size"
    done
    cat >"$work/nginx.conf" <<CONF
user root;
worker_processes 1;
daemon off;
pid $work/nginx.pid;
error_log stderr;
events { worker_connections 512; }
http {
    access_log off;
    server { listen $web4:80; listen [$web6]:80; root $work/www; }
}
CONF
    daemon nginx in_server nginx -p "$work" -c "$work/nginx.conf"
    daemon dnsmasq in_server dnsmasq --keep-in-foreground --conf-file=/dev/null --pid-file= --user=root \
        --no-resolv --no-hosts --bind-interfaces --listen-address="$dns4,$dns6" \
        --address=/example.test/192.0.2.80 --address=/example.test/2001:db8::80 \
        --txt-record="long.example.test,$(printf 'x%.0s' $(seq 250)),$(printf 'y%.0s' $(seq 250))"
    daemon iperf3 in_server iperf3 --server --bind "$web4"
    until_ok in_client curl -sf -o /dev/null "http://$web4/100"
    until_ok in_client curl -sf -o /dev/null "http://[$web6]/100"
    until_ok in_client dig +short +tries=1 +time=1 "@$dns4" example.test
    until_ok in_server bash -c 'ss -Hltn "sport = :5201" | grep -q .'
}

# Runs a traffic function while its packets are recorded. No packet is cut: tcpdump's and dumpcap's own
# snapshot length is 262144.
record() { # FILE TRAFFIC
    local file=$work/$1 tool pid
    case $1 in
        *.pcapng) tool=(dumpcap -q -i c0 -w "$file") ;;
        *) tool=(tcpdump -q -n -i c0 -Z root -U -w "$file") ;;
    esac
    in_client "${tool[@]}" >"$work/capture.log" 2>&1 &
    pid=$!
    pids+=("$pid")
    until_ok grep -q -e 'listening on' -e '^File:' "$work/capture.log"
    sleep 0.3
    "$2"
    sleep 1.2
    kill "$pid"
    wait "$pid" || true
    install -m 644 "$file" "$here/$1"
    echo "$1: $(stat -c %s "$here/$1") bytes"
}

web_v4() {
    for n in 11 12 13; do
        for size in 100 1000 10000; do
            in_client curl -sf -o /dev/null --interface "203.0.113.$n" "http://$web4/$size"
        done
    done
    in_client curl -sf -o /dev/null "http://$web4/50000"
    in_client curl -sf -o /dev/null -o /dev/null "http://$web4/100" "http://$web4/1000" # two requests, one connection
}

dns_v4() {
    for n in $(seq 11 40); do in_client dig +short -b "203.0.113.$n" "@$dns4" "host$n.example.test" A >/dev/null; done
    in_client dig +short "@$dns4" long.example.test TXT >/dev/null
    in_client dig +short +tcp "@$dns4" long.example.test TXT >/dev/null
}

mixed_v6() {
    for n in 11 12 13; do
        for size in 100 1000 10000; do
            in_client curl -sf -o /dev/null --interface "2001:db8:c::$n" "http://[$web6]/$size"
        done
        for _ in 1 2 3; do in_client dig +short -b "2001:db8:c::$n" "@$dns6" example.test AAAA >/dev/null; done
    done
    in_client ping -6 -q -c 3 -i 0.2 "$web6" >/dev/null
    in_client ping -6 -q -c 2 -i 0.2 -s 4000 "$web6" >/dev/null # in fragments
}

ping_large() {
    in_client ping -q -c 3 -i 0.2 "$web4" >/dev/null
    in_client ping -q -c 3 -i 0.2 -M dont -s 4000 "$web4" >/dev/null # in fragments
}

iperf3_v4() {
    in_client iperf3 --client "$web4" --bytes 150K >/dev/null
}

# Many short flows of many clients, at the same time, and some of what else comes by.
quickstart() {
    local last=$((10 + clients)) question='\x12\x34\1\0\0\1\0\0\0\0\0\0\7example\4test\0\0\1\0\1'
    {
        for n in $(seq 11 $last); do
            for size in 100 100 500 100 500 1000 100 500 100 100 500 100; do
                echo "curl -sf -o /dev/null --interface 203.0.113.$n http://$web4/$size"
            done
            for size in 100 500 100 500 100 100; do
                echo "curl -sf -o /dev/null --interface 2001:db8:c::$n http://[$web6]/$size"
            done
            for name in a b c d e f g h; do echo "dig +short -b 203.0.113.$n @$dns4 $name$n.example.test A"; done
            for name in a b c d; do echo "dig +short -b 2001:db8:c::$n @$dns6 $name$n.example.test AAAA"; done
        done
        for n in 11 12 13 14 15; do
            echo "ping -q -c 2 -i 0.2 -I 203.0.113.$n $web4"
            echo "ping -6 -q -c 2 -i 0.2 -I 2001:db8:c::$n $web6"
            echo "curl -s --interface 203.0.113.$n http://$web4:8080/" # a port without a service
        done
        echo "ping -q -c 2 -i 0.2 -M dont -s 3000 $web4" # in fragments
        # Questions whose askers do not wait: their kernel answers the answer with an ICMP error.
        for _ in $(seq 20); do
            echo "printf '$question' >/dev/udp/$dns4/53"
        done
    } | shuf --random-source=<(yes) >"$work/errands"
    in_client xargs -P 6 -d '\n' -n 1 bash -c 'eval "$1" >/dev/null 2>&1 || true' errand <"$work/errands"
}

declare -A recordings=([web-v4.pcap]=web_v4 [dns-v4.pcap]=dns_v4 [mixed-v6.pcapng]=mixed_v6 [ping-large.pcap]=ping_large
    [iperf3-v4.pcap]=iperf3_v4 [quickstart.pcap]=quickstart)

for name in "$@"; do
    [ -n "${recordings[$name]:-}" ] || { echo "record.sh: $name is none of: ${!recordings[*]}" >&2; exit 2; }
done
cable
servers
for name in "${@:-${!recordings[@]}}"; do
    record "$name" "${recordings[$name]}"
done
