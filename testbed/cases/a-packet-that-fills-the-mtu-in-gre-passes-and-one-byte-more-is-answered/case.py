"""Of 1,500 bytes 1456 are left: 40 of IPv6, 4 of GRE. The answer says so (RFC 1191 §4)."""

from golden import frame, Inner, ip4, REAL6, tcp, too_big, tunnelled


def packets():
    packet = frame(ip4() / tcp() / bytes(1416))
    out = tunnelled(packet, REAL6, Inner("gre"))
    assert len(out) == 14 + 1500
    yield packet, out
    packet = frame(ip4() / tcp() / bytes(1417))
    yield packet, too_big(packet, 1456)
