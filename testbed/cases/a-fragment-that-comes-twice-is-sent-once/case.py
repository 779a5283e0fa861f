"""A network may deliver twice, and such a pair is no overlap (RFC 8200 §4.5): the second is dropped, alone. What its
bytes are does not matter, because no real sees them."""

from golden import REAL4, followed, ip4, part4, pieces4, udp


def packets():
    first, middle, last = pieces4(ip4(flags=0, id=1) / udp() / bytes(64), 24, 48)
    yield first, followed(first, REAL4, 0)
    yield first, None
    yield middle, followed(middle, REAL4, 1)
    yield part4(ip4(flags=0, id=1, proto=17), 24, b"other bytes".ljust(24), True), None
    yield last, followed(last, REAL4, 2)
    first, last = pieces4(ip4(flags=0, id=2) / udp() / bytes(64), 24)
    yield last, followed(last, REAL4, 4)
    yield last, None
    yield first, followed(first, REAL4, 3)
