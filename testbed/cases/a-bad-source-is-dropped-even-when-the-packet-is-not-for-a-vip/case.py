"""A loopback address on the wire is nobody's."""

from golden import frame, ip4, ip6, tcp


def packets():
    yield frame(ip4(src="127.0.0.1", dst="192.0.2.1") / tcp()), None
    yield frame(ip6(src="::1", dst="2001:db8::1") / tcp()), None
