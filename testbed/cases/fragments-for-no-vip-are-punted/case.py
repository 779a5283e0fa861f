"""The kernel puts its own together."""

from golden import frame, ip4, ip6, udp


def packets():
    yield frame(ip4(dst="192.0.2.1", flags="MF", proto=17) / udp(len=64) / bytes(8)), None
    yield frame(ip6(dst="2001:db8::1", nh=44) / (b"\x11\0\0\x18\0\0\0\x07" + bytes(16))), None
