"""The first packet behind the SYN makes it established."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    for seconds, flags in ((0, "S"), (0.5, "A"), (2.5, "A")):
        packet = frame(ip4() / tcp(flags=flags))
        yield packet, ipip(packet, REAL4), seconds
