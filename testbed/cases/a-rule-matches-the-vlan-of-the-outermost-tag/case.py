"""vlan: the first tag's, of either kind; a priority tag names none, and "none" matches it as it matches no tag."""

from golden import REAL4, frame, ip4, ipip, tcp

API = "10.0.0.21"


def packets():
    for sport, (tags, real) in enumerate((([(0x8100, 7)], API), ([(0x8100, 6)], REAL4), ([(0x8100, 10)], REAL4),
                                          ([(0x88A8, 0x2009), (0x8100, 3)], API), ([(0x88A8, 3), (0x8100, 7)], REAL4))):
        packet = frame(ip4() / tcp(sport=40000 + sport), tags=tags)
        yield packet, ipip(packet, real)
    for tags in ([(0x8100, 0xA000)], []):
        yield frame(ip4() / tcp(sport=50000), tags=tags), None
