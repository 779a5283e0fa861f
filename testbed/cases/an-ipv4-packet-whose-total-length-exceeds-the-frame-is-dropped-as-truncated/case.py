"""RFC 791 §3.1: the rest was lost on the way, and is not sent on as if it were whole."""

from golden import cut, frame, ip4, tcp


def packets():
    whole = frame(ip4() / tcp() / bytes(100))
    yield cut(whole, -1), None
    yield cut(whole, 60), None
    yield frame(ip4(len=65535) / tcp()), None
