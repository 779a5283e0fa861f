"""One rule decides about a packet, the first that matches: what another gives is not added to it."""

from golden import REAL4, frame, ip4, ipip, remarked, tcp


def packets():
    packet = frame(ip4() / tcp())
    yield packet, ipip(remarked(packet, 46), REAL4)
    packet = frame(ip4(src="192.0.2.99") / tcp())
    yield packet, ipip(remarked(packet, 8), REAL4)
