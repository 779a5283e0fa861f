"""dscp: the upper six bits of TOS or traffic class, whatever ECN says, with both ends in the range; IPv6 has them
elsewhere.
"""

from golden import REAL4, frame, ip4, ip6, ipip, tcp

API = "10.0.0.21"


def packets():
    for dscp, real in ((9, REAL4), (10, API), (14, API), (15, REAL4)):
        for sport, packet in ((40000, ip4(tos=dscp << 2 | 3)), (40001, ip6(tc=dscp << 2 | 1))):
            packet = frame(packet / tcp(sport=sport + dscp))
            yield packet, ipip(packet, real)
