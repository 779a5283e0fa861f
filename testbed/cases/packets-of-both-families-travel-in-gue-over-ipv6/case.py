"""draft-ietf-intarea-gue §3: variant 0, no options, protocol 4 or 41, port 6080; the UDP checksum is
full over IPv6 (RFC 8200 §8.1)."""

from golden import frame, Inner, ip4, ip6, REAL6, tcp, tunnelled


def packets():
    packet = frame(ip4(tos=0xB9) / tcp() / b"GET /")
    yield packet, tunnelled(packet, REAL6, Inner("gue"))
    packet = frame(ip6(tc=0xB9, fl=0x54321) / tcp() / b"GET /")
    yield packet, tunnelled(packet, REAL6, Inner("gue"))
