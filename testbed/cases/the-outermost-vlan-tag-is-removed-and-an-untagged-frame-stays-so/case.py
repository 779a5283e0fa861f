"""Of two tags the inner one stays."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    for tags in ((), ((0x8100, 0xB005),), ((0x88A8, 0x6001), (0x8100, 0x2002))):
        yield frame(ip4() / tcp(), tags=tags), ipip(frame(ip4() / tcp(), tags=tags[1:]), REAL4)
