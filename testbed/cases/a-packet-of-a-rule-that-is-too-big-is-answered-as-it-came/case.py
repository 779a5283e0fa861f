"""A packet that does not fit the tunnel's 576 bytes is quoted to its sender as that sent it (RFC 792): unmarked, whatever a
rule says. One byte less goes, and is marked."""

from golden import REAL4, frame, ip4, ipip, remarked, tcp, too_big


def packets():
    packet = frame(ip4() / tcp() / bytes(516))
    yield packet, ipip(remarked(packet, 46), REAL4)
    packet = frame(ip4() / tcp() / bytes(517))
    yield packet, too_big(packet, 556)
