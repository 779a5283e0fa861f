"""protocol: the same port of another protocol is another rule's matter."""

from golden import REAL4, frame, ip4, ipip, tcp, udp

API = "10.0.0.21"


def packets():
    packet = frame(ip4() / udp(dport=80))
    yield packet, ipip(packet, API)
    packet = frame(ip4() / tcp(dport=80))
    yield packet, ipip(packet, REAL4)
