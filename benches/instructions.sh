#!/bin/sh
# Instructions of the path, packet by packet, counted by valgrind and not timed: the same on any machine, idle or
# not, as long as the compiler is the same. Each row is the difference of two runs that differ only in how many
# packets they send, divided by that number, less the same for the port alone.
#
# benches/instructions.sh
set -eu
cd "$(dirname "$0")/.."

if ! command -v valgrind >/dev/null; then
    echo "valgrind is missing: apt-get install valgrind" >&2
    exit 1
fi
target=${CARGO_TARGET_DIR:-target}
cargo build --quiet --release --package benches --bin path

# counted NAME PACKETS
counted() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$target/release/path" --small --only "$1" --once "$2" 2>&1 |
        sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}

# each NAME: instructions of one packet
each() {
    few=$(counted "$1" 64000)
    many=$(counted "$1" 192000)
    echo $(((many - few) / 128000))
}

four=$(each "port alone")
six=$(each "port alone, IPv6")
printf '%-32s %s\n' "instructions a packet" "(port taken off)"
printf '%-32s %6s\n' "4,096 flows" $(($(each "4,096 flows") - four))
printf '%-32s %6s\n' "4,096 flows, recorded" $(($(each "4,096 flows, recorded") - four))
printf '%-32s %6s\n' "4,096 flows, IPv6" $(($(each "4,096 flows, IPv6") - six))
for row in "QUIC, clear" "QUIC, one block" "QUIC, three passes" "QUIC, four passes"; do
    printf '%-32s %6s\n' "$row" $(($(each "$row") - six))
done
for row in "4,096 flows, 10,000 flow rules" "4,096 flows, one packet rule" "4,096 flows, 10,001 with one"; do
    printf '%-32s %6s\n' "$row" $(($(each "$row") - four))
done
for row in "marked, DSCP" "marked, tag and labels" "limited" "ESP, 4,096 clients" "keyed by source, 4,096 clients"; do
    printf '%-32s %6s\n' "$row" $(($(each "$row") - four))
done
printf '%-32s %6s\n' "no VIP" $(($(each "no VIP") - four))
printf '%-32s %6s\n' "no VIP, recorded" $(($(each "no VIP, recorded") - four))
