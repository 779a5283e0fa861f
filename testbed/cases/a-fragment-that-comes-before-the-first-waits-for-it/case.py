"""Networks reorder (RFC 4963 §3): whatever the order, the datagram goes to the real of the flow that its first fragment
names. Those that waited leave right behind the first."""

from itertools import permutations

from golden import REAL4, followed, ip4, pieces4, udp


def packets():
    left = 0
    for number, order in enumerate(permutations(range(3))):
        pieces = pieces4(ip4(flags=0, id=number) / udp() / bytes(64), 24, 48)
        first = order.index(0)
        # The first leaves first, then those that had come before it, then those that come after.
        leaving = [0, *order[:first], *order[first + 1:]]
        for which in order:
            yield pieces[which], followed(pieces[which], REAL4, left + leaving.index(which))
        left += 3
