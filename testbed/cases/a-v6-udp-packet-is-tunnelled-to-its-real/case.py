"""IPv6 in IPv6 (RFC 2473 §3) for UDP."""

from golden import REAL6, frame, ip6, ipip, udp


def packets():
    packet = frame(ip6() / udp() / b"a question")
    yield packet, ipip(packet, REAL6)
