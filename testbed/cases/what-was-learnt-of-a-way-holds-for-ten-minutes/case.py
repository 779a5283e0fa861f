"""RFC 1191 §6.3: from the next eighth of a second on, later packets are answered by the learnt MTU, which other errors may
lower and none raises; then the configured one holds again."""

from golden import REAL4, frame, ip4, ipip, tcp, too_big, tunnel_error


def packets():
    came = frame(ip4() / tcp() / bytes(1400))
    sent = ipip(came, REAL4)
    yield came, sent, 0.0
    yield tunnel_error(sent, 3, 4, b"\0\0\x05\x78"), too_big(came[:14 + 528], 1380), 0.001
    yield came, sent, 0.002
    yield came, too_big(came, 1380), 0.2
    yield tunnel_error(sent, 3, 4, b"\0\0\x05\x14"), too_big(came[:14 + 528], 1280), 100.0
    yield tunnel_error(sent, 3, 4, b"\0\0\x05\xaa"), too_big(came[:14 + 528], 1280), 100.3
    yield came, too_big(came, 1280), 100.4
    yield came, too_big(came, 1280), 699.5
    yield came, sent, 700.2
