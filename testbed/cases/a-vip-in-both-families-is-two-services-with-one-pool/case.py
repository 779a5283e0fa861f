"""Each family has its VIP; the reals are the same."""

from golden import REAL4, frame, ip4, ip6, ipip, tcp


def packets():
    for ip in (ip4(), ip6()):
        packet = frame(ip / tcp())
        yield packet, ipip(packet, REAL4)
