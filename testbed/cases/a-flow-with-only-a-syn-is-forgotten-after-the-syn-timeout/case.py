"""syn_timeout_s = 1: a second and a half later the flow is new again, in the place it had."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    for seconds, flags in ((0, "S"), (1.5, "S")):
        packet = frame(ip4() / tcp(flags=flags))
        yield packet, ipip(packet, REAL4), seconds
