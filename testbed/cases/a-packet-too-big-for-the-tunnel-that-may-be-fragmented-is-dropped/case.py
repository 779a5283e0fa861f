"""Without Don't Fragment its sender is not to be told (RFC 1191 §3); we do not fragment it either."""

from golden import frame, ip4, tcp


def packets():
    yield frame(ip4(flags=0) / tcp() / bytes(1441)), None
