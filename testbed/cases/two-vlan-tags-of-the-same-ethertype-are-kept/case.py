"""Stacked 0x8100 tags, as older switches make them; the tags stay when the family changes."""

from golden import REAL4, frame, ip6, ipip, tcp


def packets():
    packet = frame(ip6() / tcp(), tags=((0x8100, 0x0007), (0x8100, 0x0064)))
    yield packet, ipip(packet, REAL4)
