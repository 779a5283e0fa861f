"""RFC 4963: identifications come again, and whoever goes on sending under one is heard again. A datagram is known for two
seconds after the last fragment of it that was taken, or that refused it: those that are dropped meanwhile do not count."""

from golden import REAL4, followed, ip4, pieces4, udp


def datagram(identification: int, *cuts: int) -> list[bytes]:
    return pieces4(ip4(flags=0, id=identification) / udp() / bytes(64), *cuts)


def packets():
    first, middle, last = datagram(1, 24, 48)
    yield last, followed(last, REAL4, 1), 0.0
    yield first, followed(first, REAL4, 0), 0.0
    other_first, other_middle, other_last = datagram(2, 24, 48)
    yield other_first, followed(other_first, REAL4, 2), 0.0
    yield other_last, followed(other_last, REAL4, 3), 0.0
    # Its middle never comes. The next with its identification overlaps what is known: all of it is refused.
    for piece in reversed(datagram(1, 16, 40)):
        yield piece, None, 1.0
    # This one comes twice, and is dropped alone.
    yield other_last, None, 1.5
    # What is refused is dropped, and makes nothing younger.
    for piece in (last, middle):
        yield piece, None, 2.25
    for piece, at in ((other_last, 5), (other_middle, 6), (other_first, 4)):
        yield piece, followed(piece, REAL4, at), 2.25
    for piece, at in ((last, 8), (middle, 9), (first, 7)):
        yield piece, followed(piece, REAL4, at), 3.125
