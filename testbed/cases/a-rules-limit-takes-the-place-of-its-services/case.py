"""What a rule limits uses nothing of its service's pots: five packets of a friend leave them full for two of another
client's (RFC 2697 §3)."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    packet = frame(ip4() / tcp())
    for _ in range(5):
        yield packet, ipip(packet, REAL4)
    packet = frame(ip4(src="192.0.2.99") / tcp())
    for _ in range(2):
        yield packet, ipip(packet, REAL4)
    yield packet, None
