"""Captures taken at the sender have frames below 60 bytes; the IP length decides."""

from golden import REAL4, frame, ip4, ipip, udp


def packets():
    packet = frame(ip4() / udp(dport=53))
    yield packet, ipip(packet, REAL4)
    packet = frame(ip4() / udp(dport=53) / b"?")
    yield packet, ipip(packet, REAL4)
