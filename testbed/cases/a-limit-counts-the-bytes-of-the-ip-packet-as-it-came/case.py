"""RFC 2697 §3: "the size of the packet in bytes", of IP, without link header, tags, labels, padding and tunnel."""

from golden import MPLS, REAL4, frame, ip4, ipip, labelled, padded, tcp


def packets():
    packet = frame(ip4() / tcp())
    yield padded(packet), ipip(packet, REAL4)
    yield labelled(packet, MPLS(label=16, ttl=9)), ipip(packet, REAL4)
    packet = frame(ip4() / tcp(), tags=((0x8100, 5),))
    yield packet, ipip(packet, REAL4)
    yield packet, None
