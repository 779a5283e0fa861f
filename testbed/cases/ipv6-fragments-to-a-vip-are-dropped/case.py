"""RFC 8200 §4.5: the fragment header, alone and behind another one."""

from golden import extension, frame, ip6, udp


def packets():
    body = bytes(ip6() / udp() / bytes(40))[40:]
    yield frame(ip6(nh=44) / (b"\x11\0\0\x01\0\0\0\x07" + body[:24])), None
    yield frame(ip6(nh=44) / (b"\x11\0\0\x18\0\0\0\x07" + body[24:])), None
    yield frame(ip6(nh=60) / (extension(60, 44) + b"\x11\0\0\x01\0\0\0\x07" + body[:24])), None
