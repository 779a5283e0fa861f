"""IEEE 802.1ad: ethertype 0x88a8 outside, 0x8100 inside."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    packet = frame(ip4() / tcp(), tags=((0x88A8, 0x0007), (0x8100, 0x0064)))
    yield packet, ipip(packet, REAL4)
