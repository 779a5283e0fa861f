"""RFC 1191 §4: without Don't Fragment there is nothing to tell the client of a narrow way; that it ends is told."""

from golden import REAL4, frame, ip4, ipip, tcp, tunnel_error, unreachable


def packets():
    came = frame(ip4(flags=0) / tcp())
    sent = ipip(came, REAL4)
    yield came, sent
    yield tunnel_error(sent, 3, 4, b"\0\0\x05\x78"), None
    yield tunnel_error(sent, 11), unreachable(came)
