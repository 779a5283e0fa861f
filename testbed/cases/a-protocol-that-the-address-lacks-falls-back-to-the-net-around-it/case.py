"""The same for the protocol: TCP to an address that has only UDP of its own."""

from golden import REAL4, frame, ip4, ipip, tcp, udp


def packets():
    packet = frame(ip4() / udp(dport=53) / b"a question")
    yield packet, ipip(packet, REAL4)
    packet = frame(ip4() / tcp(dport=53))
    yield packet, ipip(packet, "10.0.0.12")
