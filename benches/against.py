"""Two builds of the benchmarks, alternating: see against.sh."""

import json
import os
import subprocess
import sys
from statistics import median

OURS, THEIRS = "this tree", "the other"
# What a run has on: rows of this tree beside the other's row of the second name.
BESIDE = [("4,096 flows, recorded", "4,096 flows"), ("no VIP, recorded", "no VIP")]
PACKETS = 20_000_000
# Of each process; the first still meets fresh memory, so the median of them counts.
ROUNDS = "5"


def names(folder, scratch, small):
    """The rows that a build knows."""
    file = f"{scratch}/path.json"
    subprocess.run([f"{folder}/path", "1", "--json", file, *small], check=True, stdout=subprocess.DEVNULL)
    with open(file) as text:
        return [row["name"] for row in json.load(text)["path"]]


def elsewhere(turn):
    """An environment of another length each round, and with it another place for the stack and all that follows: where
    memory comes to lie moves some rows by half, and is to be noise, not a difference between two builds."""
    return os.environ | {"PENSTOCK_PAD": "x" * (turn * 517 % 4096)}


def path(folder, scratch, rows, turn):
    """Nanoseconds of each row of the path alone, the port's own taken off. Each in a process of its own: beside
    others, where its memory comes to lie hangs on what those others are."""
    file = f"{scratch}/path.json"
    nanos = {}
    for row in rows:
        command = [f"{folder}/path", ROUNDS, "--only", row, "--json", file]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=elsewhere(turn))
        with open(file) as text:
            nanos[row] = json.load(text)["path"][0]["ns"][1]
    port = {name: nanos.pop(name) for name in rows if name.startswith("port alone")}

    def port_of(name):
        return ", ".join(["port alone", *(kind for kind in ("IPv6", "10,000 VIPs") if kind in name)])

    return {name: ns - port[port_of(name)] for name, ns in nanos.items()}


def on_port(folder, capture):
    """Nanoseconds of a packet's whole way on net_pcap."""
    command = [f"{folder}/pcap-path", "--capture", capture, "--packets", str(PACKETS)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {"net_pcap, whole path": json.loads(text)["ns_per_packet"]}


def figures(build, scratch, capture, rows, turn):
    """Every row of one build."""
    return path(build, scratch, rows, turn) | on_port(build, capture)


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
    known = {name: names(build, scratch, small) for name, build in builds}
    rows = {OURS: [], THEIRS: []}
    for turn in range(rounds):
        for name, build in builds:
            rows[name].append(figures(build, scratch, capture, known[name], turn))
        builds.reverse()
    print(f"{'ns a packet, thread CPU time, medians':<44} {'ours':>8} {'theirs':>8}   ours / theirs, paired ({rounds} rounds)")
    common = [name for name in rows[THEIRS][0] if name in rows[OURS][0]]
    pairs = [(name, name) for name in common] + [pair for pair in BESIDE if pair[1] in common]
    for name, other in pairs:
        label = name if name == other else f"{name} / {other}"
        tell(label, [row[name] for row in rows[OURS]], [row[other] for row in rows[THEIRS]])


if __name__ == "__main__":
    main()
