"""65,535 bytes with the header (RFC 791 §3.1), or without the fixed header of IPv6 (RFC 8200 §3): no more, but so many."""

from golden import REAL4, followed, ip4, ip6, part4, part6, pieces4, pieces6, udp


def packets():
    first, _ = pieces4(ip4(flags=0) / udp() / bytes(64), 24)
    yield first, followed(first, REAL4, 0)
    last = part4(ip4(flags=0, proto=17), 65_512, bytes(3), False)
    yield last, followed(last, REAL4, 1)
    first, _ = pieces6(ip6() / udp() / bytes(64), 24)
    yield first, followed(first, REAL4)
    last = part6(ip6(nh=17), 65_528, bytes(7), False)
    yield last, followed(last, REAL4)
