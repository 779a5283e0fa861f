"""The outer packet has 9020 bytes, within the configured MTU."""

from golden import REAL4, frame, ip4, ipip, tcp

BYTES_MAX = 20_000  # jumbo frames are what this is about


def packets():
    packet = frame(ip4() / tcp() / (bytes(range(256)) * 35))
    yield packet, ipip(packet, REAL4)
