#!/usr/bin/python3
"""Says what must come out for the real captures: testbed/captures/expect.toml, by the plain model.

usage: captures.py [--check]

For each capture: the SHA-256 of the capture that `penstock replay --out` must write with quickstart.toml, and every
counter that moves. With --check the file is not written; a difference is a line and exit status 1.
"""

import hashlib
import sys
import tomllib
from fractions import Fraction
from pathlib import Path

sys.dont_write_bytecode = True

from scapy.utils import RawPcapNgReader, RawPcapReader  # noqa: E402

from golden import model, pcap  # noqa: E402  (bytecode is off first)

FOLDER = Path(__file__).resolve().parent.parent / "captures"
HEAD = """# What each capture gives with quickstart.toml; every counter that is not listed stands at 0.
# Made by testbed/scapy/captures.py from the plain model, not by the program.
"""


def read(path: Path) -> tuple[str, list[tuple[Fraction, bytes]]]:
    """The unit of the capture's times and its packets, by scapy's reader."""
    packets, unit = [], "us"
    for data, meta in RawPcapReader(str(path)):
        if isinstance(meta, RawPcapNgReader.PacketMetadata):
            unit = "ns" if meta.tsresol > 1_000_000 else "us"
            seconds = Fraction(meta.tshigh << 32 | meta.tslow, meta.tsresol)
        else:
            seconds = meta.sec + Fraction(meta.usec, 1_000_000)
        packets.append((seconds - pcap.EPOCH_S, data))
    return unit, packets


def expectation(path: Path, config: dict) -> str:
    """One table of expect.toml."""
    unit, packets = read(path)
    balancer = model.Balancer(config)
    for seconds, data in packets:
        balancer.packet(seconds, data)
    outcome = [(seconds, out) for (seconds, _), out in zip(packets, balancer.end())]
    out = pcap.capture([(seconds, frame) for seconds, frame in outcome if frame is not None], unit)
    lines = [f'["{path.name}"]', f'out_sha256 = "{hashlib.sha256(out).hexdigest()}"', f'["{path.name}".counters]']
    lines += [f'"{name}" = {value}' for name, value in sorted(balancer.moved().items())]
    for kind in ("real", "service"):
        names = sorted({key for key, _ in balancer.tallies if key.startswith(f"{kind}.")})
        for key in names:
            packets_and_bytes = ", ".join(f"{word} = {balancer.tallies[key, word]}" for word in ("packets", "bytes"))
            lines.append(f'"{key}" = {{ {packets_and_bytes} }}')
    return "\n".join(lines) + "\n"


def main() -> int:
    """Exit status: 0, or 1 when --check finds another expectation than the one kept."""
    config = tomllib.loads((FOLDER / "quickstart.toml").read_text())
    captures = sorted(path for path in FOLDER.iterdir() if path.suffix in (".pcap", ".pcapng"))
    text = HEAD + "".join("\n" + expectation(path, config) for path in captures)
    kept = FOLDER / "expect.toml"
    if sys.argv[1:] != ["--check"]:
        kept.write_text(text)
    elif not kept.exists() or kept.read_text() != text:
        print(f"{kept.name} is not what the model says of the captures beside it; captures.py writes it anew")
        return 1
    print(f"{len(captures)} captures")
    return 0


if __name__ == "__main__":
    sys.exit(main())
