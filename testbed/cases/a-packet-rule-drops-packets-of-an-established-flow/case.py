"""drop is for every packet that matches; the flow itself stays and its other packets pass."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    for dscp, real in ((0, REAL4), (8, None), (0, REAL4), (8, None)):
        packet = frame(ip4(tos=dscp << 2) / tcp())
        yield packet, real and ipip(packet, real)
