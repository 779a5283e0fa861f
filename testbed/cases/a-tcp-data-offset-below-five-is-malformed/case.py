"""RFC 9293 §3.1: the header has at least five words."""

from golden import frame, ip4, ip6, tcp


def packets():
    for words in (0, 4):
        yield frame(ip4() / tcp(dataofs=words)), None
        yield frame(ip6() / tcp(dataofs=words)), None
