"""Three flows by turns, at one time."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    for turn in range(12):
        packet = frame(ip4() / tcp(sport=40000 + turn % 3))
        yield packet, ipip(packet, REAL4), 0
