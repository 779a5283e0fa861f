"""RFC 8200 §4.6: the transport header stands behind it, and the packet is of the same flow as one without."""

from golden import REAL6, chained, frame, ip6, ipip, tcp


def packets():
    for packet in (frame(chained([60], ip6() / tcp())), frame(ip6() / tcp())):
        yield packet, ipip(packet, REAL6)
