"""RFC 3032 §2.4.2: a TTL of 1 or 0 is not forwarded, and its label not taken off. Below the first label TTL says nothing."""

from golden import MPLS, REAL4, frame, ip4, ipip, labelled, tcp


def packets():
    packet = frame(ip4() / tcp())
    for ttl in (0, 1):
        yield labelled(packet, MPLS(label=16, ttl=ttl)), None
        yield labelled(packet, MPLS(label=16, ttl=ttl), MPLS(label=17, ttl=64)), None
    yield labelled(packet, MPLS(label=16, ttl=2), MPLS(label=17, ttl=0)), ipip(packet, REAL4)
