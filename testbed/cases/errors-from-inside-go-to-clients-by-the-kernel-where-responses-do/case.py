"""return_path = "via-slr": what a client is told is a response, and our kernel forwards it."""

from golden import REAL4, frame, ip4, ipip, tcp, tunnel_error


def packets():
    came = frame(ip4() / tcp())
    sent = ipip(came, REAL4)
    yield came, sent
    yield tunnel_error(sent, 3, 1), None
    yield tunnel_error(sent, 3, 1, size=28), None
