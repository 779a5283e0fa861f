"""RFC 2003 §3.1: the outer bit is the inner one. A packet that may be fragmented has an identification."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    packet = frame(ip4(flags="DF") / tcp())
    yield packet, ipip(packet, REAL4)
    packet = frame(ip4(flags=0) / tcp())
    yield packet, ipip(packet, REAL4, identification=0)
