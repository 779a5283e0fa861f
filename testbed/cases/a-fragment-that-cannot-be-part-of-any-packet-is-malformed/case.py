"""It ends beyond 65,535 bytes (the ping of death), has bytes that are no eights where more follow, has none at all
(RFC 791 §3.2, RFC 8200 §4.5), or contradicts where its datagram ends. It is dropped alone."""

from golden import REAL4, REAL6, followed, frame, ip4, ip6, part4, part6, pieces4, udp


def packets():
    head = ip4(flags=0, proto=17)
    yield part4(head, 65_512, bytes(4), False), None
    yield part4(head, 65_528, bytes(1), False), None
    yield part4(head, 24, bytes(20), True), None
    yield part4(head, 24, b"", False), None
    yield part6(ip6(nh=17), 65_528, bytes(8), False), None
    yield part6(ip6(nh=17), 24, bytes(20), True), None
    first, middle, last = pieces4(ip4(flags=0) / udp() / bytes(64), 24, 48)
    yield first, followed(first, REAL4, 0)
    yield last, followed(last, REAL4, 1)
    yield part4(ip4(flags=0, proto=17), 72, bytes(8), False), None
    yield part4(ip4(flags=0, proto=17), 80, bytes(8), True), None
    yield middle, followed(middle, REAL4, 2)
