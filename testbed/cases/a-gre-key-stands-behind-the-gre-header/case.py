"""RFC 2890 §2: the K bit, and four bytes of key; a key may be 0."""

from golden import frame, Inner, ip4, ip6, REAL4, REAL6, tcp, tunnelled


def packets():
    packet = frame(ip4() / tcp())
    yield packet, tunnelled(packet, REAL4, Inner("gre", 0xDEADBEEF))
    packet = frame(ip6() / tcp())
    yield packet, tunnelled(packet, REAL6, Inner("gre", 0))
