"""RFC 3032 §2.4: labels in front of a packet to a VIP are off before anything else is asked. One to four of them, also
the explicit nulls; behind tags; of both families; for a service without a mark too."""

from golden import MPLS, REAL4, frame, ip4, ip6, ipip, labelled, tcp


def packets():
    stacks = ([16], [17, 1048575], [18, 19, 20], [0], [2], [21, 22, 23, 0])
    for labels in stacks:
        for packet in (frame(ip4() / tcp()), frame(ip4() / tcp(dport=81), tags=((0x8100, 0xB005),)), frame(ip6() / tcp())):
            yield labelled(packet, *[MPLS(label=label, cos=1, ttl=2) for label in labels]), ipip(packet, REAL4)
