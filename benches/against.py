"""Two builds of the benchmarks, alternating: see against.sh."""

import json
import subprocess
import sys
from statistics import median

OURS, THEIRS = "this tree", "the other"
# What a run has on: rows of this tree beside the other's row of the second name.
BESIDE = [("4,096 flows, recorded", "4,096 flows"), ("no VIP, recorded", "no VIP")]
PACKETS = 20_000_000


def path(folder, scratch, small):
    """Nanoseconds of each row of the path alone, the port's own taken off."""
    file = f"{scratch}/path.json"
    subprocess.run([f"{folder}/path", "1", "--json", file, *small], check=True, stdout=subprocess.DEVNULL)
    with open(file) as text:
        rows = {row["name"]: row["ns"][1] for row in json.load(text)["path"]}
    port, port6 = rows.pop("port alone"), rows.pop("port alone, IPv6")
    many = rows.pop("port alone, 10,000 VIPs")
    return {
        name: ns - (port6 if "IPv6" in name else many if "10,000 VIPs" in name else port)
        for name, ns in rows.items()
    }


def on_port(folder, capture, further=()):
    """Nanoseconds of a packet's whole way on net_pcap."""
    command = [f"{folder}/pcap-path", "--capture", capture, "--packets", str(PACKETS), *further]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {"net_pcap, whole path": json.loads(text)["ns_per_packet"]}


def figures(build, scratch, capture, small):
    """Every row of one build."""
    return path(build, scratch, small) | on_port(build, capture)


def tell(name, ours, theirs):
    ratios = [one / other for one, other in zip(ours, theirs)]
    print(
        f"{name:<44} {median(ours):>8.1f} {median(theirs):>8.1f}   "
        f"{median(ratios):>6.3f} ({min(ratios):.3f} to {max(ratios):.3f})"
    )


def main():
    ours, theirs, rounds, scratch, *small = sys.argv[1:]
    rounds = int(rounds)
    if rounds < 1:
        sys.exit("no rounds, no figures")
    capture = f"{scratch}/flows.pcap"
    subprocess.run([f"{ours}/side-by-side", "--capture", capture], check=True)
    builds = [(OURS, ours), (THEIRS, theirs)]
    rows = {OURS: [], THEIRS: []}
    for _ in range(rounds):
        for name, build in builds:
            rows[name].append(figures(build, scratch, capture, small))
        builds.reverse()
    print(f"{'ns a packet, thread CPU time, medians':<44} {'ours':>8} {'theirs':>8}   ours / theirs, paired ({rounds} rounds)")
    common = [name for name in rows[THEIRS][0] if name in rows[OURS][0]]
    pairs = [(name, name) for name in common] + [pair for pair in BESIDE if pair[1] in common]
    for name, other in pairs:
        label = name if name == other else f"{name} / {other}"
        tell(label, [row[name] for row in rows[OURS]], [row[other] for row in rows[THEIRS]])


if __name__ == "__main__":
    main()
