"""Without swap_label or pop_labels anywhere a labelled frame is not looked into."""

from golden import MPLS, REAL4, frame, ip4, ipip, labelled, tcp


def packets():
    packet = frame(ip4() / tcp())
    yield labelled(packet, MPLS(label=16, ttl=64)), None
    yield packet, labelled(ipip(packet, REAL4), MPLS(label=16, cos=0, ttl=64))
