"""Outer header and packet together are at most the tunnel's MTU: 1480 bytes inside for 1500."""

from golden import REAL4, frame, ip4, ipip, tcp, too_big


def packets():
    packet = frame(ip4() / tcp() / bytes(1440))
    yield packet, ipip(packet, REAL4)
    packet = frame(ip4() / tcp() / bytes(1441))
    yield packet, too_big(packet, 1480)
