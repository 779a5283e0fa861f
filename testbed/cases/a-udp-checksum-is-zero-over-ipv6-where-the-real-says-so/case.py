"""RFC 6935 §5: for a tunnel's end that takes it."""

from golden import frame, Inner, ip4, ip6, REAL6, tcp, tunnelled


def packets():
    packet = frame(ip4(tos=0xB9) / tcp() / b"GET /")
    yield packet, tunnelled(packet, REAL6, Inner("gue", checksum="zero"))
    packet = frame(ip6(tc=0xB9, fl=0x54321) / tcp() / b"GET /")
    yield packet, tunnelled(packet, REAL6, Inner("gue", checksum="zero"))
