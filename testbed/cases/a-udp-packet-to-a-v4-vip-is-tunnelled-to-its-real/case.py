"""IPv4 in IPv4 (RFC 2003 §3.1) for UDP (RFC 768)."""

from golden import REAL4, frame, ip4, ipip, udp


def packets():
    packet = frame(ip4() / udp() / b"a question")
    yield packet, ipip(packet, REAL4)
