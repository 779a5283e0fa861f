"""Errors about the kernel's own packets are the kernel's."""

from golden import error4, frame, icmp4, ip4, reply, tcp


def packets():
    packet = frame(ip4() / tcp())
    yield frame(error4(3, reply(packet, src="192.0.2.1"), dst="192.0.2.1")), None
    yield frame(icmp4(5, bytes(28), dst="192.0.2.1")), None
