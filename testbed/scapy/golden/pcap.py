"""Captures, byte for byte: the classic format with fixed fields, and nothing that depends on the day."""

import struct

EPOCH_S = 1_700_000_000  # when the first packet of every case arrives
STEP_S = 0.001           # and the next one follows, unless the case says when
SNAPLEN = 262_144
ETHERNET = 1
# Magic number and ticks per second, by the name of the unit.
UNITS = {"us": (0xA1B2C3D4, 1_000_000), "ns": (0xA1B23C4D, 1_000_000_000)}


def capture(frames: list[tuple[float, bytes]], unit: str = "us", order: str = "<") -> bytes:
    """A capture of (seconds after the epoch, frame) pairs."""
    magic, per_second = UNITS[unit]
    parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, SNAPLEN, ETHERNET)]
    for seconds, frame in frames:
        whole, fraction = divmod(round(seconds * per_second), per_second)
        parts.append(struct.pack(order + "IIII", EPOCH_S + whole, fraction, len(frame), len(frame)))
        parts.append(frame)
    return b"".join(parts)
