"""Of 1,500 bytes 1450 are left: 20 of IPv4, 8 of UDP, 8 of VXLAN, 14 of Ethernet. The answer says so (RFC 1191 §4)."""

from golden import frame, Inner, ip4, REAL4, tcp, too_big, tunnelled


def packets():
    packet = frame(ip4() / tcp() / bytes(1410))
    out = tunnelled(packet, REAL4, Inner("vxlan", 16777215, mac="02:00:00:00:01:11"))
    assert len(out) == 14 + 1500
    yield packet, out
    packet = frame(ip4() / tcp() / bytes(1411))
    yield packet, too_big(packet, 1450)
