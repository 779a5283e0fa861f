"""Only the first fragment of a datagram has the ports that the rule asks for: what it gives the first it gives those that
follow, and each is metered by its own bytes, 44 and 40. Of the second datagram the first fragment fits into what is left of
130 bytes, and the other does not."""

from golden import REAL4, followed, ip4, pieces4, remarked, udp


def packets():
    for number in (1, 2):
        first, second = pieces4(ip4(id=number, flags=0) / udp() / bytes(36), 24)
        yield first, followed(remarked(first, 46), REAL4, identification=2 * number - 2)
        out = followed(remarked(second, 46), REAL4, identification=2 * number - 1)
        yield second, out if number == 1 else None
