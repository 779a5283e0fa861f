"""RFC 7112 §5, RFC 1858 §3: without the ports, with half of a TCP header or of its options, or with headers that go on in
the next fragment. Nobody has to put it together to learn whose it is."""

from golden import ip4, ip6, chained, part4, part6, pieces4, pieces6, tcp, udp


def packets():
    for number, size in enumerate((8, 16)):
        for piece in pieces4(ip4(flags=0, id=number) / tcp() / bytes(64), size):
            yield piece, None
    last, first = reversed(pieces4(ip4(flags=0, id=2) / tcp(options=[("Timestamp", (1, 2))]) / bytes(64), 24))
    yield first, None
    yield last, None
    for piece in reversed(pieces6(chained([60, 60], ip6() / udp() / bytes(64)), 8)):
        yield piece, None
    for piece in pieces6(chained([60], ip6() / udp() / bytes(64)), 8, identification=8):
        yield piece, None
