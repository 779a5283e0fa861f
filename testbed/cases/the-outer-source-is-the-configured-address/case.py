"""A fixed source address in each family."""

from golden import REAL4, REAL6, frame, ip4, ip6, ipip, tcp


def packets():
    packet = frame(ip4() / tcp())
    yield packet, ipip(packet, REAL4, source="172.31.0.9")
    packet = frame(ip6() / tcp())
    yield packet, ipip(packet, REAL6, source="fd00::9")
