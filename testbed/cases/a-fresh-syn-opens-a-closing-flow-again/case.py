"""The client uses its port again (RFC 9293 §3.6.1): embryonic, with the syn timeout, and still the same flow."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    for seconds, flags in ((0, "PA"), (0.25, "FA"), (0.75, "S"), (2.75, "A"), (5.75, "A")):
        packet = frame(ip4() / tcp(flags=flags))
        yield packet, ipip(packet, REAL4), seconds
