"""A rule's mark that swaps labels (RFC 3032 §2.4.2) has them taken off packets to every VIP: one that it matches gets the
new one, with a hop less; another goes without."""

from golden import MPLS, REAL4, frame, ip4, ipip, labelled, tcp


def packets():
    packet = frame(ip4() / tcp())
    yield labelled(packet, MPLS(label=16, cos=3, ttl=9)), labelled(ipip(packet, REAL4), MPLS(label=1018, cos=3, ttl=8))
    yield packet, ipip(packet, REAL4)
    packet = frame(ip4(src="192.0.2.99") / tcp())
    yield labelled(packet, MPLS(label=16, ttl=9)), ipip(packet, REAL4)
    yield labelled(packet, MPLS(label=16, ttl=1)), None
