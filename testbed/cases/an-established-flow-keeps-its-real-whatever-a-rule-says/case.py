"""A packet rule gives a service to new flows: one that began without the DSCP keeps its real when it gets it, and one
that began with it when it loses it.
"""

from golden import REAL4, frame, ip4, ipip, tcp

API = "10.0.0.21"


def packets():
    for sport, first, then, real in ((40000, 0, 46, REAL4), (40001, 46, 0, API)):
        for dscp in (first, then):
            packet = frame(ip4(tos=dscp << 2) / tcp(sport=sport))
            yield packet, ipip(packet, real)
