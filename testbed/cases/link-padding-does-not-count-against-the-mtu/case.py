"""The IP length does, whatever follows it in the frame."""

from golden import REAL4, frame, ip4, ipip, padded, tcp


def packets():
    packet = padded(frame(ip4() / tcp() / bytes(1440)), 1514)
    yield packet, ipip(packet, REAL4)
