"""A rule gives flows of a source prefix another service than their port says; the addresses beside the prefix keep
theirs.

The rule is asked about the first packet of each flow, and not about the others.
"""

from golden import REAL4, frame, ip4, ipip, tcp

API = "10.0.0.21"


def packets():
    inside, outside = ("203.0.113.0", "203.0.113.7", "203.0.113.255"), ("203.0.112.255", "203.0.114.0")
    for flags in ("S", "A"):
        for client in inside:
            packet = frame(ip4(src=client) / tcp(flags=flags))
            yield packet, ipip(packet, API)
        for client in outside:
            packet = frame(ip4(src=client) / tcp(flags=flags))
            yield packet, ipip(packet, REAL4)
