"""Before the address is looked at."""

from golden import frame, ip4, tcp


def packets():
    yield frame(ip4(dst="192.0.2.1") / tcp(dataofs=1)), None
    yield frame(ip4(dst="192.0.2.1", ihl=3) / tcp()), None
