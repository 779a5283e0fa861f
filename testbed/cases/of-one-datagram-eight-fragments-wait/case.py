"""A ninth that comes before the first refuses the datagram, with all that waited and all that is to come."""

from golden import REAL4, followed, ip4, pieces4, udp


def packets():
    first, *others = pieces4(ip4(flags=0, id=1) / udp() / bytes(72), *range(8, 80, 8))
    for at, piece in enumerate(others[:8]):
        yield piece, followed(piece, REAL4, 1 + at)
    yield first, followed(first, REAL4, 0)
    yield others[8], followed(others[8], REAL4, 9)
    first, *others = pieces4(ip4(flags=0, id=2) / udp() / bytes(72), *range(8, 80, 8))
    for piece in others:
        yield piece, None
    yield first, None
