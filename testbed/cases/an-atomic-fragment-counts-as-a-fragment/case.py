"""RFC 6946: offset 0 and nothing more to come. It is whole, yet dropped with the rest for now."""

from golden import chained, frame, ip6, tcp


def packets():
    yield frame(chained([44], ip6() / tcp())), None
