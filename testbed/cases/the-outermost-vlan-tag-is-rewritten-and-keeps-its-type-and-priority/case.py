"""Priority and drop eligibility stay; an untagged frame stays untagged, and a priority tag gets a VLAN."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    for tags, rewritten in (((), ()), (((0x8100, 0xB005),), ((0x8100, 0xB009),)),
                            (((0x88A8, 0x6001), (0x8100, 0x2002)), ((0x88A8, 0x6009), (0x8100, 0x2002))),
                            (((0x8100, 0xA000),), ((0x8100, 0xA009),))):
        yield frame(ip4() / tcp(), tags=tags), ipip(frame(ip4() / tcp(), tags=rewritten), REAL4)
