"""RFC 768 does not forbid bytes behind the datagram: the packet is tunnelled with all of them."""

from golden import REAL4, frame, ip4, udp, ipip


def packets():
    packet = frame(ip4() / udp(len=12) / b"a question")
    yield packet, ipip(packet, REAL4)
