"""A rule of SPIs is a flow's: a new association of its range goes to the rule's real, and stays there; another goes where
its client's address says."""

from golden import REAL4, esp, frame, ip4, ipip


def packets():
    packet = frame(ip4(proto=50) / esp(spi=0x1FFFF))
    for _ in range(2):
        yield packet, ipip(packet, "10.0.0.22")
    packet = frame(ip4(proto=50, src="192.0.2.99") / esp(spi=0x20000))
    yield packet, ipip(packet, REAL4)
