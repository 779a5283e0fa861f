"""The IP total length, whatever the frame, the tags, the padding and the outer header add."""

from golden import REAL4, frame, ip4, ip6, ipip, padded, tcp, udp


def packets():
    packet = padded(frame(ip4() / tcp()), 60)
    yield packet, ipip(packet, REAL4)
    packet = frame(ip4() / tcp() / bytes(100), tags=((0x8100, 5),))
    yield packet, ipip(packet, REAL4)
    packet = frame(ip6() / udp() / bytes(12))
    yield packet, ipip(packet, "10.0.0.12")
