"""One table of figures, two services: the one's traffic takes nothing from the other. A red packet's flow is entered all
the same, and counts for nobody."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    for dport in (80, 81):
        packet = frame(ip4() / tcp(dport=dport))
        yield packet, ipip(packet, REAL4)
        yield packet, None
    yield frame(ip4() / tcp(sport=40001)), None
