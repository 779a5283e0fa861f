"""RFC 792 asks for eight bytes behind the outer header, which do not show whose packet it was. It stays the kernel's."""

from golden import REAL4, frame, ip4, ipip, tcp, too_big, tunnel_error


def packets():
    came = frame(ip4() / tcp() / bytes(1400))
    sent = ipip(came, REAL4)
    yield came, sent, 0.0
    yield tunnel_error(sent, 3, 4, b"\0\0\x05\x78", size=28), None, 0.01
    yield tunnel_error(sent, 3, 1, size=28), None, 0.02
    yield tunnel_error(sent, 3, 4, b"\0\0\x05\x78", size=43), None, 0.03
    yield came, too_big(came, 1380), 0.2
