"""The same sixteen bits stand in the flow label, so that either serves (RFC 6438 §3)."""

from golden import REAL6, frame, ip6, ipip, tcp


def packets():
    for sport in range(40000, 40016):
        packet = frame(ip6() / tcp(sport=sport))
        yield packet, ipip(packet, REAL6, source="2001:db8:5::/112")
