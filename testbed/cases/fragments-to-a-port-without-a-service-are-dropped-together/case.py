"""What is said of the first is said of all, whichever came first."""

from golden import ip4, pieces4, udp


def packets():
    for piece in pieces4(ip4(flags=0, id=1) / udp(dport=54) / bytes(64), 24, 48):
        yield piece, None
    for piece in reversed(pieces4(ip4(flags=0, id=2) / udp(dport=54) / bytes(64), 24, 48)):
        yield piece, None
