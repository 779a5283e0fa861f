"""RFC 2983 §3.1, the uniform model: the class of service holds inside the tunnel too."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    for tos in (0xB8, 0x28, 0x04, 0xFC):
        packet = frame(ip4(tos=tos) / tcp())
        yield packet, ipip(packet, REAL4)
