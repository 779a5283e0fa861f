"""The longest prefix among the services that take the packet, not among all."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    packet = frame(ip4() / tcp(dport=80))
    yield packet, ipip(packet, REAL4)
    packet = frame(ip4() / tcp(dport=443))
    yield packet, ipip(packet, "10.0.0.12")
