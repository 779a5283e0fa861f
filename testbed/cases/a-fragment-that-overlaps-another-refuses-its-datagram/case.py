"""RFC 5722 §3, RFC 8200 §4.5: by eight bytes, by all of another, or inside of it (the old teardrop). It is dropped, and
with it all that waits or is still to come; what has left cannot be called back, and lacks the rest at its real."""

from golden import REAL4, followed, ip4, ip6, part4, part6, pieces4, pieces6, udp


def packets():
    first, middle, last = pieces4(ip4(flags=0, id=1) / udp() / bytes(64), 24, 48)
    yield first, followed(first, REAL4, 0)
    yield part4(ip4(flags=0, id=1, proto=17), 16, bytes(16), True), None
    yield middle, None
    yield last, None
    first, middle, last = pieces4(ip4(flags=0, id=2) / udp() / bytes(64), 24, 48)
    yield middle, None
    yield part4(ip4(flags=0, id=2, proto=17), 24, bytes(16), True), None
    yield first, None
    first, middle, last = pieces4(ip4(flags=0, id=3) / udp() / bytes(64), 24, 48)
    yield first, followed(first, REAL4, 1)
    yield part4(ip4(flags=0, id=3, proto=17), 8, bytes(4), False), None
    first, middle, last = pieces6(ip6() / udp() / bytes(64), 24, 48)
    yield last, None
    yield part6(ip6(nh=17), 40, bytes(16), True), None
    yield first, None
