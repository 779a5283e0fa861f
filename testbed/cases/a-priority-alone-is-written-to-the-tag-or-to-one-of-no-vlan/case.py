"""IEEE 802.1Q §9.6: a frame without a tag gets a priority tag, whose VLAN id is 0."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    for tags, rewritten in (((), ((0x8100, 0xA000),)), (((0x8100, 0x1007),), ((0x8100, 0xB007),)),
                            (((0x88A8, 0xE001), (0x8100, 0x2002)), ((0x88A8, 0xA001), (0x8100, 0x2002)))):
        yield frame(ip4() / tcp(), tags=tags), ipip(frame(ip4() / tcp(), tags=rewritten), REAL4)
