"""A rule with a mark and nothing else: packets from its prefix go to the real that their service's pool gives them, each
with the mark, those of an established flow too. Others are as they came."""

from golden import REAL4, frame, ip4, ipip, remarked, tcp


def packets():
    packet = frame(ip4() / tcp())
    for _ in range(3):
        yield packet, ipip(remarked(packet, 46), REAL4)
    packet = frame(ip4(src="192.0.2.99") / tcp())
    for _ in range(2):
        yield packet, ipip(packet, REAL4)
