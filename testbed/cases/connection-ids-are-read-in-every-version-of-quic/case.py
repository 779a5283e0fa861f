"""RFC 8999 holds for all versions, negotiation (0) among them, and ids may be longer than 20 bytes there."""

from golden import Ids, frame, ip4, ipip, long, udp

A = Ids(0, 2, 14, bytes.fromhex("8f95f09245765f80256934e50c66207f"))


def packets():
    for version in (0, 1, 0x6B3343CF, 0xFF00001D, 0x1A2A3A4A):
        packet = frame(ip4() / udp(dport=443) / long(A.make("0002"), version=version))
        yield packet, ipip(packet, "10.0.0.12")
    for more in (1, 4, 100, 238):
        packet = frame(ip4() / udp(dport=443) / long(A.make("0003") + bytes(more), bytes(255), version=0x1A2A3A4A))
        yield packet, ipip(packet, "10.0.0.13")
