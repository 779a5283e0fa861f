"""Between the new link header and the packet, of both families."""

from golden import MPLS, NEXT_HOP, frame, ip4, ip6, labelled, mac_rewrite, tcp


def packets():
    for packet in (frame(ip4() / tcp()), frame(ip6() / tcp())):
        yield packet, labelled(mac_rewrite(packet, NEXT_HOP), MPLS(label=16, cos=0, ttl=64))
