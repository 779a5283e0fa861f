"""Of 1,500 bytes 1468 are left: 20 of IPv4, 8 of UDP, 4 of GUE. The answer says so (RFC 1191 §4)."""

from golden import frame, Inner, ip4, REAL4, tcp, too_big, tunnelled


def packets():
    packet = frame(ip4() / tcp() / bytes(1428))
    out = tunnelled(packet, REAL4, Inner("gue"))
    assert len(out) == 14 + 1500
    yield packet, out
    packet = frame(ip4() / tcp() / bytes(1429))
    yield packet, too_big(packet, 1468)
