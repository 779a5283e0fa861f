"""The clock stands still until the capture catches up; the packets keep the times they have."""

from golden import REAL4, frame, ip4, ipip, udp


def packets():
    other, packet = (frame(ip4() / udp(sport=sport)) for sport in (1, 40000))
    yield packet, ipip(packet, REAL4), 0
    yield other, ipip(other, REAL4), 1.5
    yield packet, ipip(packet, REAL4), 0.5
    yield packet, ipip(packet, REAL4), 1.75
