"""RFC 6040 §4.1, normal mode: ECT(1) goes to the outer header as it is, in all four family pairs."""

from golden import REAL4, REAL6, frame, ip4, ip6, ipip, tcp


def packets():
    for ip in (ip4(tos=1), ip6(tc=1)):
        for dport, real in ((80, REAL4), (81, REAL6)):
            packet = frame(ip / tcp(dport=dport))
            yield packet, ipip(packet, real)
