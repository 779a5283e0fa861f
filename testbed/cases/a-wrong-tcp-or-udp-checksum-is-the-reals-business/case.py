"""It is the end-to-end check (RFC 1122 §4.2.2.7): tunnelled as it is, and so is a UDP checksum of 0."""

from golden import REAL4, frame, ip4, ipip, tcp, udp


def packets():
    packet = frame(ip4() / tcp(chksum=0xDEAD))
    yield packet, ipip(packet, REAL4)
    for chksum in (0, 0xDEAD):
        packet = frame(ip4() / udp(chksum=chksum) / b"a question")
        yield packet, ipip(packet, REAL4)
