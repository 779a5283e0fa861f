"""The others were dropped after a second, one tick before it came."""

from golden import REAL4, followed, ip4, pieces4, udp


def packets():
    first, *others = pieces4(ip4(flags=0) / udp() / bytes(64), 24, 48)
    yield others[0], None, 0.0
    yield others[1], None, 0.25
    yield first, followed(first, REAL4, 0), 1.0
    first, *others = pieces4(ip4(flags=0, id=9) / udp() / bytes(64), 24, 48)
    yield others[0], followed(others[0], REAL4, 2), 2.0
    yield others[1], followed(others[1], REAL4, 3), 2.25
    yield first, followed(first, REAL4, 1), 2.875
