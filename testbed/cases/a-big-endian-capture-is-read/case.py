"""The magic number tells the order of bytes; what we write is little-endian."""

from golden import REAL4, frame, ip4, ipip, tcp

ORDER = ">"


def packets():
    packet = frame(ip4() / tcp())
    yield packet, ipip(packet, REAL4)
