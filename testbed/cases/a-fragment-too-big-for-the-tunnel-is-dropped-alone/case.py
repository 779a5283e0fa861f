"""As any packet: of IPv6 its sender is told, of IPv4 it may be fragmented on, which we do not do. The others go."""

from golden import REAL4, followed, ip4, ip6, pieces4, pieces6, too_big, udp


def packets():
    first, last = pieces4(ip4(flags=0) / udp() / bytes(2000), 1472)
    yield first, None
    yield last, followed(last, REAL4, 0)
    first, last = pieces6(ip6() / udp() / bytes(2000), 1448)
    yield first, too_big(first, 1480)
    yield last, followed(last, REAL4)
