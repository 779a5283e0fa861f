"""The tag's ethertype says another one follows, or a header, and there is none."""

from golden import cut, frame, ip4, tcp


def packets():
    whole = frame(ip4() / tcp(), tags=((0x88A8, 7), (0x8100, 5)))
    for size in (14, 16, 17, 18, 21):
        yield cut(whole, size), None
