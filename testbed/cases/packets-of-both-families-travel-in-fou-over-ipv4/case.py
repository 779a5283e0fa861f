"""The packet stands behind a UDP header to port 5555 and nothing else (the draft's §4: variant 1 of GUE is just this)."""

from golden import frame, Inner, ip4, ip6, REAL4, tcp, tunnelled


def packets():
    packet = frame(ip4(tos=0xB9) / tcp() / b"GET /")
    yield packet, tunnelled(packet, REAL4, Inner("fou"))
    packet = frame(ip6(tc=0xB9, fl=0x54321) / tcp() / b"GET /")
    yield packet, tunnelled(packet, REAL4, Inner("fou"))
