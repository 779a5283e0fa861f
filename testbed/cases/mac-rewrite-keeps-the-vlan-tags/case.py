"""The tags of a frame are kept as they were (IEEE 802.1Q §9)."""

from golden import frame, ip4, mac_rewrite, tcp


def packets():
    packet = frame(ip4() / tcp(), tags=((0x88A8, 0x2007), (0x8100, 0xE064)))
    yield packet, mac_rewrite(packet, "02:00:00:00:00:11")
