#!/bin/bash
# Boots the Debian in a folder, in which the package is installed, as root in namespaces of its own, and has its
# systemd start, reload, restart and stop the unit: conf/booted.sh FOLDER. Nothing of it is left but the folder.
set -euo pipefail
folder=$(readlink -f "$1")
cgroups=$(mktemp -d /run/penstock-booted.XXXXXX)
own=$cgroups/${cgroups##*/}
boot=

away() {
    # The first process of its namespace takes all others with it.
    [ -z "$boot" ] || { kill -KILL "$boot" 2>/dev/null && wait "$boot" 2>/dev/null; } || true
    sleep 0.2
    [ ! -d "$own" ] || find "$own" -depth -type d -exec rmdir {} + || true
    umount "$cgroups" 2>/dev/null || true
    rmdir "$cgroups"
}
trap away EXIT

mount -t cgroup2 none "$cgroups"
mkdir "$own"

# What a container gives its first process: see https://systemd.io/CONTAINER_INTERFACE.
# shellcheck disable=SC2016 # the inner shell expands its own
(
    echo $BASHPID >"$own/cgroup.procs"
    exec unshare --pid --fork --kill-child --mount --uts --ipc --net --cgroup bash -euc '
        mount --make-rprivate /
        mount --bind "$0" "$0"
        cd "$0"
        mount -t proc proc proc
        mount -t sysfs sysfs sys
        mount -t cgroup2 none sys/fs/cgroup
        mount -t tmpfs -o mode=755 tmpfs dev
        mkdir dev/pts dev/shm dev/net
        for device in null zero full random urandom tty net/tun; do
            touch "dev/$device"
            mount --bind "/dev/$device" "dev/$device"
        done
        mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
        ln -s pts/ptmx dev/ptmx
        ln -s /proc/self/fd dev/fd
        mount -t tmpfs tmpfs dev/shm
        mount -t tmpfs -o mode=755 tmpfs run
        mount -t tmpfs tmpfs tmp
        hostname booted
        mkdir -p mnt
        pivot_root . mnt
        cd /
        umount -l /mnt
        exec env -i container=booted PATH=/usr/sbin:/usr/bin:/sbin:/bin /sbin/init' "$folder"
) >"$folder/boot.log" 2>&1 &
boot=$!

inside() {
    local init
    init=$(pgrep -P "$boot") && nsenter --target "$init" --all -- "$@"
}
for _ in $(seq 300); do
    state=$(inside systemctl is-system-running 2>/dev/null || true)
    case $state in running | degraded) break ;; esac
    sleep 0.1
done
[[ $state = running || $state = degraded ]] ||
    { echo "systemd does not come up: ${state:-nothing is heard of it}" >&2; cat "$folder/boot.log" >&2; exit 1; }

# shellcheck disable=SC2016
inside bash -euxo pipefail -c '
    status() { systemctl show --property "$1" --value penstock; }
    # `set -e` passes over what begins with a negation.
    refused() { if "$@"; then return 1; fi; }
    ip link add wire0 type veth peer name far0
    ip link set wire0 up
    ip link set far0 up
    ip address add 10.0.0.1/24 dev far0
    test "$(stat -c "%a %U %G" /etc/penstock)" = "750 root penstock"
    cat >/etc/penstock/site.toml <<END
[node]
numbers = "/var/lib/penstock/site.numbers.toml"
[tunnel]
source_v4 = "10.0.0.2"
[dataplane]
huge_pages = "off"
memory_mb = 128
packets = 4096
[flow]
entries = 65536
[[port]]
name = "lan0"
device = "net_af_packet0,iface=wire0,blocksz=4096,framesz=2048,framecnt=2048"
kernel = "twin"
[[real]]
name = "web-1"
address = "10.0.0.11"
next_hop = "02:00:00:00:00:11"
[[pool]]
name = "web"
members = [{ real = "web-1" }]
[[service]]
name = "http"
vip = "10.0.0.100"
protocol = "tcp"
ports = 80
pool = "web"
END
    systemctl start penstock
    # It was started when it forwards: the first ping is answered.
    test "$(status StatusText)" = "Table 1 is in force."
    ping -c 1 10.0.0.100
    main=$(status MainPID)
    test "$(stat -c %U "/proc/$main")" = penstock
    grep -x "CapBnd:[[:space:]]*0000000000007000" "/proc/$main/status"
    grep -x "Seccomp:[[:space:]]*2" "/proc/$main/status"
    penstock show ports
    penstock drain web-1
    test "$(status StatusText)" = "Table 2 is in force."
    cp /etc/penstock/site.toml /tmp/good.toml
    sed -i "s/ports = 80/ports = 8080/" /etc/penstock/site.toml
    systemctl reload penstock
    test "$(status StatusText)" = "Table 3 is in force."
    sed -i "s/pool = \"web\"/pool = \"wbe\"/" /etc/penstock/site.toml
    refused systemctl reload penstock
    test "$(status StatusText)" = "Table 3 is in force."
    test "$(status MainPID)" = "$main"
    cp /tmp/good.toml /etc/penstock/site.toml
    kill -KILL "$main"
    for _ in $(seq 100); do
        [ "$(status NRestarts)" = 1 ] && [ "$(status ActiveState)" = active ] && break
        sleep 0.1
    done
    test "$(status NRestarts)" = 1
    penstock show reals | grep "drain  operator"
    systemctl stop penstock
    test "$(status Result)" = success
    refused ip link show lan0
    refused test -e /run/penstock
' >"$folder/unit.log" 2>&1 || { tail -n 30 "$folder/unit.log" >&2; inside journalctl --no-pager -u penstock -n 30 >&2; exit 1; }
echo "started, reloaded, restarted and stopped by systemd"
