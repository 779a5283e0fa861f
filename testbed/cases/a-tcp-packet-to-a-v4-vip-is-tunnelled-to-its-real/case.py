"""IPv4 in IPv4 (RFC 2003 §3.1): a new outer header, the inner packet untouched, not even its TTL."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    packet = frame(ip4() / tcp(flags="S"))
    yield packet, ipip(packet, REAL4)
