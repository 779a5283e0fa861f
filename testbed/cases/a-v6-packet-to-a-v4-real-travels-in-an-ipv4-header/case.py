"""IPv6 in IPv4 (RFC 4213 §3.5): protocol 41. IPv6 is never fragmented on the way, so Don't Fragment is set."""

from golden import REAL4, frame, ip6, ipip, tcp


def packets():
    packet = frame(ip6() / tcp(flags="S"))
    yield packet, ipip(packet, REAL4)
