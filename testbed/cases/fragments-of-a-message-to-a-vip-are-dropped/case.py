"""Echo requests and errors are answered and followed whole; a fragment of one is neither, nor is a fragment of a
fragment."""

from golden import echo4, echo6, extension, frame, ip6, pieces4, pieces6, udp


def packets():
    for piece in pieces4(echo4(bytes(64), flags=0), 24):
        yield piece, None
    for piece in pieces6(echo6(bytes(64)), 24):
        yield piece, None
    inner = b"\x11\0\0\x01\0\0\0\x07" + bytes(ip6() / udp())[40:] + bytes(16)
    yield frame(ip6(nh=44) / (b"\x2c\0\0\x01\0\0\0\x08" + inner)), None
    yield frame(ip6(nh=44) / (b"\x2c\0\0\0\0\0\0\x08" + inner)), None
