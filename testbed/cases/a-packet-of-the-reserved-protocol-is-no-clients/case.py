"""Clients stand in the flow table under the protocol that IANA reserves (255): a packet that has it finds none of them."""

from golden import REAL4, frame, ip4, ipip, udp


def packets():
    packet = frame(ip4() / udp(dport=53))
    for _ in range(2):
        yield packet, ipip(packet, REAL4)
    yield frame(ip4(proto=255) / bytes(20)), None
