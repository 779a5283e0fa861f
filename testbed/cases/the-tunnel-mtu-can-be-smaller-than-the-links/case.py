"""mtu = 1280: 1260 bytes inside an IPv4 header."""

from golden import REAL4, frame, ip4, ipip, tcp, too_big


def packets():
    packet = frame(ip4() / tcp() / bytes(1220))
    yield packet, ipip(packet, REAL4)
    packet = frame(ip4() / tcp() / bytes(1221))
    yield packet, too_big(packet, 1260)
