"""A 40-byte packet in a 60-byte frame: the last six bytes are the wire's (RFC 894), whatever leaked into them."""

from golden import REAL4, frame, ip4, ip6, ipip, padded, tcp, udp


def packets():
    for filling in (b"\0", b"\xa5"):
        packet = padded(frame(ip4() / tcp()), 60, filling)
        yield packet, ipip(packet, REAL4)
    packet = padded(frame(ip6() / udp()), 100)
    yield packet, ipip(packet, REAL4)
