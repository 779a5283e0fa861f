"""The walk is bounded in bytes as well (RFC 8883 §3.2)."""

from golden import REAL6, chained, frame, ip6, ipip, tcp


def packets():
    packet = frame(chained([60], ip6() / tcp(), size=256))
    yield packet, ipip(packet, REAL6)
    yield frame(chained([60], ip6() / tcp(), size=264)), None
    packet = frame(chained([0, 60], ip6() / tcp(), size=128))
    yield packet, ipip(packet, REAL6)
    yield frame(chained([0, 60], ip6() / tcp(), size=136)), None
