"""The same by RFC 8200 §4.5, and to a real that is reached over IPv6."""

from itertools import permutations

from golden import REAL6, followed, ip6, pieces6, udp


def packets():
    for number, order in enumerate(permutations(range(3))):
        pieces = pieces6(ip6() / udp() / bytes(64), 24, 48, identification=number)
        for which in order:
            yield pieces[which], followed(pieces[which], REAL6)
