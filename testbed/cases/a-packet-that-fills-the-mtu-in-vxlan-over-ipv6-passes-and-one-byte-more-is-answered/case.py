"""Of 1,500 bytes 1430 are left: 40 of IPv6, 8 of UDP, 8 of VXLAN, 14 of Ethernet. The answer says so (RFC 1191 §4)."""

from golden import frame, Inner, ip4, REAL6, tcp, too_big, tunnelled


def packets():
    packet = frame(ip4() / tcp() / bytes(1390))
    out = tunnelled(packet, REAL6, Inner("vxlan", 16777215, mac="02:00:00:00:01:11"))
    assert len(out) == 14 + 1500
    yield packet, out
    packet = frame(ip4() / tcp() / bytes(1391))
    yield packet, too_big(packet, 1430)
