"""RFC 3032 §2.1 and §5: the first label is the outermost, the last has the bottom bit, the ethertype says MPLS."""

from golden import MPLS, REAL4, REAL6, frame, ip4, ipip, labelled, tcp


def packets():
    for tags in ((), ((0x8100, 0xB005),), ((0x88A8, 0x6001), (0x8100, 0x2002))):
        packet = frame(ip4() / tcp(), tags=tags)
        yield packet, labelled(ipip(packet, REAL4), MPLS(label=16, cos=0, ttl=64))
        for dport, real in ((81, REAL4), (82, REAL6)):
            packet = frame(ip4() / tcp(dport=dport), tags=tags)
            yield packet, labelled(ipip(packet, real), MPLS(label=1048575, cos=5, ttl=255), MPLS(label=17, cos=5, ttl=255))
