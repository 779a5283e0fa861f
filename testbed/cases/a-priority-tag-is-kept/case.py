"""VLAN 0 says only a priority (IEEE 802.1Q §6.9.1); it is a tag like any other here."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    packet = frame(ip4() / tcp(), tags=((0x8100, 0xE000),))
    yield packet, ipip(packet, REAL4)
