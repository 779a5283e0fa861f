"""The protocol is part of what a service is."""

from golden import REAL4, frame, ip4, ipip, tcp, udp


def packets():
    packet = frame(ip4() / tcp(dport=443))
    yield packet, ipip(packet, REAL4)
    packet = frame(ip4() / udp(dport=443) / b"quic")
    yield packet, ipip(packet, "10.0.0.12")
