"""Each datagram starts the time again; a silence longer than it ends the flow."""

from golden import REAL4, frame, ip4, ipip, udp


def packets():
    for seconds, flags in ((0, ""), (0.75, ""), (1.5, ""), (3, "")):
        packet = frame(ip4() / udp())
        yield packet, ipip(packet, REAL4), seconds
