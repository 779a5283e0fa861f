"""RFC 3032 §2.4.2: two labels in, one out, in the place of both. What comes without gets none; a mark may say class and
TTL itself."""

from golden import MPLS, REAL4, frame, ip4, ipip, labelled, tcp


def packets():
    came = [MPLS(label=17, cos=5, ttl=44), MPLS(label=18, cos=2, ttl=9)]
    packet = frame(ip4() / tcp())
    yield packet, ipip(packet, REAL4)
    yield labelled(packet, *came), labelled(ipip(packet, REAL4), MPLS(label=99, cos=5, ttl=43))
    packet = frame(ip4() / tcp(dport=81), tags=((0x8100, 0xB005),))
    yield labelled(packet, *came), labelled(ipip(packet, REAL4), MPLS(label=100, cos=0, ttl=200))
