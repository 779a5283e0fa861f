"""established_timeout_s = 2: silent for longer, and the next packet makes it anew."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    for seconds, flags in ((0, "S"), (0.5, "A"), (2, "PA"), (4.5, "PA")):
        packet = frame(ip4() / tcp(flags=flags))
        yield packet, ipip(packet, REAL4), seconds
