"""mtu = 1280: 1260 bytes inside an IPv4 header."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    packet = frame(ip4() / tcp() / bytes(1220))
    yield packet, ipip(packet, REAL4)
    yield frame(ip4() / tcp() / bytes(1221)), None
