"""RFC 768: the minimum value of the length is eight."""

from golden import frame, ip4, ip6, udp


def packets():
    for size in (0, 7):
        yield frame(ip4() / udp(len=size) / b"a question"), None
        yield frame(ip6() / udp(len=size) / b"a question"), None
