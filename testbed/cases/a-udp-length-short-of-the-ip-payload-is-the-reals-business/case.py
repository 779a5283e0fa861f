"""RFC 768 does not forbid bytes behind the datagram: the packet is tunnelled with all of them."""

from golden import REAL4, frame, ip4, ipip, udp


def packets():
    packet = frame(ip4() / udp(len=12, chksum=0) / b"a question")
    yield packet, ipip(packet, REAL4)
