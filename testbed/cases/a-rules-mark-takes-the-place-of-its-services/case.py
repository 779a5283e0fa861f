"""Of a packet's rule and its service the rule is nearer to the packet: its mark is all that the packet gets. The next packet
of the flow, which no rule matches, has the service's."""

from golden import REAL4, frame, ip4, ipip, linked, remarked, tcp


def packets():
    packet = frame(ip4(tos=10 << 2 | 1) / tcp())
    yield packet, ipip(remarked(packet, 46), REAL4)
    packet = frame(ip4(tos=1) / tcp())
    yield packet, linked(ipip(remarked(packet, 8), REAL4), {"insert_vlan": 7})
    packet = frame(ip4(tos=10 << 2) / tcp())
    yield packet, ipip(remarked(packet, 46), REAL4)
