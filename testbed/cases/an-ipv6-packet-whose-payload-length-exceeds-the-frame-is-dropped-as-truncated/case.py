"""RFC 8200 §3, the same."""

from golden import cut, frame, ip6, tcp


def packets():
    whole = frame(ip6() / tcp() / bytes(100))
    yield cut(whole, -1), None
    yield cut(whole, 80), None
    yield frame(ip6(plen=65535) / tcp()), None
