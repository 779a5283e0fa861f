"""TOS octet and traffic class are the same eight bits (RFC 2474 §3), 4in6 and 6in4."""

from golden import REAL4, REAL6, frame, ip4, ip6, ipip, tcp


def packets():
    packet = frame(ip4(tos=0xB9) / tcp())
    yield packet, ipip(packet, REAL6)
    packet = frame(ip6(tc=0x2E, fl=0xFFFFF) / tcp())
    yield packet, ipip(packet, REAL4)
