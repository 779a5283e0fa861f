"""Of IPv4 each says its protocol; of IPv6 only the first does, and the others go with it."""

from golden import ip4, ip6, pieces4, pieces6


def packets():
    for piece in pieces4(ip4(flags=0, proto=47) / bytes(64), 24):
        yield piece, None
    for piece in reversed(pieces4(ip4(flags=0, proto=132) / bytes(64), 24)):
        yield piece, None
    for piece in pieces6(ip6(nh=47) / bytes(64), 24):
        yield piece, None
    for piece in reversed(pieces6(ip6(nh=132) / bytes(64), 24, identification=8)):
        yield piece, None
