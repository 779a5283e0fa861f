"""A /27 and a /45: the boundary is not at an octet."""

from golden import REAL4, frame, ip4, ip6, ipip, tcp


def packets():
    for last, ours in ((63, False), (64, True), (95, True), (96, False)):
        packet = frame(ip4(dst=f"198.51.100.{last}") / tcp())
        yield packet, ipip(packet, REAL4) if ours else None
    for third, ours in ((0xFF, False), (0x100, True), (0x107, True), (0x108, False)):
        packet = frame(ip6(dst=f"2001:db8:{third:x}::1") / tcp())
        yield packet, ipip(packet, REAL4) if ours else None
