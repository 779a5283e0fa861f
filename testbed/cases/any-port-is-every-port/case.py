"""From 0 to 65535, for the service's protocol alone."""

from golden import REAL4, frame, ip4, ipip, tcp, udp


def packets():
    for dport in (0, 1, 80, 65535):
        packet = frame(ip4() / tcp(dport=dport))
        yield packet, ipip(packet, REAL4)
    yield frame(ip4() / udp(dport=80)), None
