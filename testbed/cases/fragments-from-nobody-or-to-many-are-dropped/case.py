"""As whole packets are (RFC 1812 §5.3.7, RFC 1122 §3.3.6); none waits."""

from golden import ip4, patched, pieces4, udp


def packets():
    for piece in pieces4(ip4(flags=0, src="127.0.0.1") / udp() / bytes(64), 24):
        yield piece, None
    for piece in pieces4(ip4(flags=0) / udp() / bytes(64), 24):
        yield patched(piece, 0, b"\xff" * 6), None
