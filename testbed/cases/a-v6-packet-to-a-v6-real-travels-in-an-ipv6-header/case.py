"""IPv6 in IPv6 (RFC 2473 §3): next header 41, the flow label carries the flow's entropy."""

from golden import REAL6, frame, ip6, ipip, tcp


def packets():
    packet = frame(ip6() / tcp(flags="S"))
    yield packet, ipip(packet, REAL6)
