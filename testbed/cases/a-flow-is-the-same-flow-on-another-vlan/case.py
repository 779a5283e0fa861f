"""Tags are no part of the five-tuple: each packet keeps its own."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    for tags in ((), ((0x8100, 5),), ((0x88A8, 6), (0x8100, 7))):
        packet = frame(ip4() / tcp(), tags=tags)
        yield packet, ipip(packet, REAL4)
