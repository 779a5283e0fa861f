"""One 802.1Q tag, with its priority, stands in front of the outer header."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    packet = frame(ip4() / tcp(), tags=((0x8100, 0xA064),))
    yield packet, ipip(packet, REAL4)
