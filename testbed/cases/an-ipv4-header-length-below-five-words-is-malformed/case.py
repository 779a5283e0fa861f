"""RFC 791 §3.1: the minimum value for a correct header is 5."""

from golden import frame, ip4, tcp


def packets():
    for ihl in (0, 4):
        yield frame(ip4(ihl=ihl) / tcp()), None
