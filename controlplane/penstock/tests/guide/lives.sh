# shellcheck shell=bash
# A box and its neighbour, each in a network namespace: networkd has the guide's file, the gate is shut, and Penstock
# lives, is killed, and lives again. Each time the neighbour reaches the address that only the twin can have.
# Usage, in namespaces for network, mounts and processes: lives.sh PENSTOCK
penstock=$1
mount --make-rprivate /
mount -t sysfs -o ro sysfs /sys
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/network
cp 10-lan0.network /run/systemd/network/
ip link set lo up
ip netns add neighbour
ip link add eth1 type veth peer name eth0 netns neighbour
ip -n neighbour address add 192.0.2.254/24 dev eth0
ip -n neighbour link set eth0 up
ip link set eth1 up
. ./gate.sh
/lib/systemd/systemd-networkd 2>networkd.log &

for _ in 1 2; do
    "$penstock" run --config live.toml >penstock.out 2>penstock.log &
    box=$!
    tries=0
    until ip netns exec neighbour ping -c 1 -W 1 192.0.2.1 >ping.log 2>&1; do
        tries=$((tries + 1))
        if [ "$tries" = 60 ] || ! kill -0 "$box"; then
            cat ping.log penstock.log networkd.log >&2
            ip address >&2
            exit 1
        fi
        sleep 0.2
    done
    if grep -q DUP ping.log; then cat ping.log >&2; exit 1; fi
    echo "the box has answered: $(ip -brief -4 address show lan0)"
    # As in a crash.
    kill -KILL "$box"
    wait "$box" || true
    if ip link show lan0 2>/dev/null; then echo "the twin is still there" >&2; exit 1; fi
done
