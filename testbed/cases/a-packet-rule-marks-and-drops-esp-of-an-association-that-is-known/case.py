"""A packet of ESP (RFC 4303) is asked about as one of TCP is, of an association that is known too: by its code point it is
marked, or dropped."""

from golden import REAL4, esp, frame, ip4, ipip, remarked


def packets():
    packet = frame(ip4(proto=50) / esp())
    for _ in range(2):
        yield packet, ipip(packet, REAL4)
    packet = frame(ip4(proto=50, tos=8 << 2) / esp())
    yield packet, ipip(remarked(packet, 46), REAL4)
    yield frame(ip4(proto=50, tos=46 << 2) / esp()), None
