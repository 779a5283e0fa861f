"""RFC 3032 §2.4.2: a label is swapped on every packet that came with one, and a fragment that waited for its first came
with its own. So all parts of a datagram leave alike, in any order, and those that came without get none."""

from golden import MPLS, REAL4, followed, ip4, labelled, pieces4, tcp


def packets():
    left = 0
    for number, order in enumerate(((1, 0, 2), (0, 1, 2), (2, 1, 0))):
        pieces = pieces4(ip4(flags=0, id=number) / tcp() / bytes(60), 24, 48)
        waited = order.index(0)
        leaving = [0, *order[:waited], *order[waited + 1:]]
        for which in order:
            came = MPLS(label=17, cos=5 - which, ttl=44 + which)
            goes = MPLS(label=99, cos=5 - which, ttl=43 + which)
            out = followed(pieces[which], REAL4, left + leaving.index(which))
            yield labelled(pieces[which], came), labelled(out, goes)
        left += 3
    first, last = pieces4(ip4(flags=0, id=7) / tcp() / bytes(60), 24)
    yield last, followed(last, REAL4, left + 1)
    yield labelled(first, MPLS(label=17, cos=1, ttl=9)), labelled(followed(first, REAL4, left), MPLS(label=99, cos=1, ttl=8))
