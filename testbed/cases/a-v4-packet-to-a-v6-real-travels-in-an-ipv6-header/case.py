"""IPv4 in IPv6 (RFC 2473 §3): the frame's ethertype becomes IPv6, the next header is 4."""

from golden import REAL6, frame, ip4, ipip, tcp


def packets():
    packet = frame(ip4() / tcp(flags="S"))
    yield packet, ipip(packet, REAL6)
