"""Down, or draining: there is nobody to choose."""

from golden import frame, ip4, tcp


def packets():
    yield frame(ip4() / tcp(flags="S")), None
    yield frame(ip4() / tcp(flags="A")), None
