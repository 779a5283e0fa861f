"""RFC 791 §3.2, RFC 8201 §4. A router that tells none is believed to have the next plateau below the packet (RFC 1191 §5)."""

from golden import REAL4, REAL6, frame, ip4, ipip, tcp, too_big, tunnel_error


def packets():
    came = frame(ip4() / tcp() / bytes(1400))
    sent = ipip(came, REAL4)
    yield came, sent
    yield tunnel_error(sent, 3, 4), too_big(came[:14 + 528], 1006 - 20)
    yield tunnel_error(sent, 3, 4, b"\0\0\0\x44"), too_big(came[:14 + 528], 576 - 20)
    came = frame(ip4() / tcp(dport=8080) / bytes(1400))
    sent = ipip(came, REAL6)
    yield came, sent
    yield tunnel_error(sent, 2, 0, (1279).to_bytes(4, "big")), None
    yield tunnel_error(sent, 2, 0, (1280).to_bytes(4, "big")), too_big(came[:14 + 1192], 1280 - 40)
    yield tunnel_error(sent, 2, 0, b"\xff" * 4), too_big(came[:14 + 1192], 1500 - 40)
