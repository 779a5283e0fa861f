"""Prefixes of either length, inside the first and inside the last 64 bits of an address."""

from golden import REAL4, frame, ip6, ipip, tcp

API = "10.0.0.21"


def packets():
    for client, real in (("2001:db8:c::7", API), ("2001:db8:b:ffff::1", REAL4), ("2001:db8:d::1", REAL4),
                         ("2001:db8:e::41", API), ("2001:db8:e::3f", REAL4), ("2001:db8:e::80", REAL4)):
        packet = frame(ip6(src=client) / tcp())
        yield packet, ipip(packet, real)
