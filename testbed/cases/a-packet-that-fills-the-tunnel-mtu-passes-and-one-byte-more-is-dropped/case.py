"""Outer header and packet together are at most the tunnel's MTU: 1480 bytes inside for 1500."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    packet = frame(ip4() / tcp() / bytes(1440))
    yield packet, ipip(packet, REAL4)
    yield frame(ip4() / tcp() / bytes(1441)), None
