"""We stand in for the VIP: the packet has arrived, and is not forwarded in the sense of RFC 1812 §5.3.1. (RFC 2003
§3.1 would take one off.)
"""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    packet = frame(ip4(ttl=1) / tcp())
    yield packet, ipip(packet, REAL4)
