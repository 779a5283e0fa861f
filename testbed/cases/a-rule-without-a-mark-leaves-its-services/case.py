"""A rule that limits and does not mark: what it lets pass has its service's mark. What is red is dropped."""

from golden import REAL4, frame, ip4, ipip, remarked, tcp


def packets():
    packet = frame(ip4() / tcp())
    for _ in range(2):
        yield packet, ipip(remarked(packet, 8), REAL4)
    yield packet, None
    packet = frame(ip4(src="192.0.2.99") / tcp())
    yield packet, ipip(remarked(packet, 8), REAL4)
