"""destination: one address of a VIP's prefix is another service's; its neighbours are not."""

from golden import REAL4, frame, ip4, ipip, tcp

API = "10.0.0.21"


def packets():
    for vip, real in (("198.51.100.76", REAL4), ("198.51.100.77", API), ("198.51.100.78", REAL4)):
        packet = frame(ip4(dst=vip) / tcp())
        yield packet, ipip(packet, real)
