"""It is counted, and that is all."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    for size in (160, 60):
        packet = frame(ip4() / tcp() / bytes(size))
        yield packet, ipip(packet, REAL4)
