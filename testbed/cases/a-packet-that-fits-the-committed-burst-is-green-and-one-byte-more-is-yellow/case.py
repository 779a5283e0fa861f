"""RFC 2697 §3.2, colour-blind: the pot of 200 bytes takes two packets of 100; of the pot above it, a packet of 101 bytes is
red and one of 100 is yellow. Both pots are empty then."""

from golden import REAL4, frame, ip4, ipip, remarked, tcp


def packets():
    hundred = frame(ip4() / tcp() / bytes(60))
    for _ in range(2):
        yield hundred, ipip(hundred, REAL4)
    yield frame(ip4() / tcp() / bytes(61)), None
    yield hundred, ipip(remarked(hundred, 12), REAL4)
    yield frame(ip4() / tcp()), None
