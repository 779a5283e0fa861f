"""What cannot be read to its end is not handed to the kernel either."""

from golden import chained, frame, ip6, tcp


def packets():
    yield frame(chained([60] * 12, ip6(dst="2001:db8:ffff::1") / tcp())), None
