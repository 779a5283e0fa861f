"""Closing stays closing: data from the other side's half is acknowledged, and the time stays short."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    for seconds, flags in ((0, "PA"), (0.25, "FA"), (1, "A"), (1.75, "A"), (2.5, "PA"), (4, "A")):
        packet = frame(ip4() / tcp(flags=flags))
        yield packet, ipip(packet, REAL4), seconds
