"""RFC 1812 §5.2.2: the length must hold the header; 0 is not a promise of more."""

from golden import IPOption, frame, ip4, tcp


def packets():
    for size in (0, 19):
        yield frame(ip4(len=size) / tcp()), None
    yield frame(ip4(len=20, options=[IPOption(b"\x94\x04\0\0")]) / tcp()), None
