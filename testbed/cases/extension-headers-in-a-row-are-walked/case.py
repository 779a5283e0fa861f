"""RFC 8200 §4.1, in the recommended order, in front of UDP."""

from golden import REAL6, chained, frame, ip6, ipip, udp


def packets():
    packet = frame(chained([0, 60, 43, 60], ip6() / udp() / b"a question"))
    yield packet, ipip(packet, REAL6)
