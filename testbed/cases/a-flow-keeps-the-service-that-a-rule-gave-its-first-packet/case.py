"""A rule of opening segments gives a service that is keyed by source, so that each flow is asked for again at its second
packet: it keeps the service, its mark and its real, on a port with a service of its own and on one without.
"""

from golden import frame, ip4, ipip, remarked, tcp

API = "10.0.0.21"


def packets():
    for dport in (80, 9000):
        for flags in "SAA":
            packet = frame(ip4() / tcp(sport=40000 + dport, dport=dport, flags=flags))
            yield packet, ipip(remarked(packet, 46), API)
