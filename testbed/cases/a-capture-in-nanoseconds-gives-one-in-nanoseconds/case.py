"""The input's magic number 0xa1b23c4d says so, and the output's says the same; no digit is lost."""

from golden import REAL4, frame, ip4, ipip, tcp

UNIT = "ns"


def packets():
    for index in range(3):
        packet = frame(ip4() / tcp())
        yield packet, ipip(packet, REAL4), 0.000_000_001 + index * 0.123_456_789
