"""RFC 9293 §3.6: the last packets still find it; a second and a half later it is gone."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    for seconds, flags in ((0, "PA"), (0.25, "RA"), (0.75, "A"), (2.25, "A")):
        packet = frame(ip4() / tcp(flags=flags))
        yield packet, ipip(packet, REAL4), seconds
