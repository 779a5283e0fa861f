"""RFC 7348 §5: UDP to port 4789, the I bit and 24 bits of identifier, an inner Ethernet header from us to the end."""

from golden import frame, Inner, ip4, ip6, REAL6, tcp, tunnelled


def packets():
    packet = frame(ip4(tos=0xB9) / tcp() / b"GET /")
    yield packet, tunnelled(packet, REAL6, Inner("vxlan", 16777215, mac="02:00:00:00:01:11"))
    packet = frame(ip6(tc=0xB9, fl=0x54321) / tcp() / b"GET /")
    yield packet, tunnelled(packet, REAL6, Inner("vxlan", 16777215, mac="02:00:00:00:01:11"))
