"""8000-8099: both ends are inside, their neighbours are at a VIP without a service."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    for dport in (8000, 8050, 8099):
        packet = frame(ip4() / tcp(dport=dport))
        yield packet, ipip(packet, REAL4)
    for dport in (7999, 8100):
        yield frame(ip4() / tcp(dport=dport)), None
