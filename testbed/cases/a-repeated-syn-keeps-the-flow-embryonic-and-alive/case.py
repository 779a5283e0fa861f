"""Each SYN starts the time again (RFC 6298 §2: clients repeat it after a second)."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    for seconds, flags in ((0, "S"), (0.75, "S"), (1.5, "S"), (3, "A")):
        packet = frame(ip4() / tcp(flags=flags))
        yield packet, ipip(packet, REAL4), seconds
