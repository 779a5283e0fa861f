"""Fourteen bytes are the least there can be; one byte and thirteen are less."""

from golden import cut, frame, ip4, tcp


def packets():
    whole = frame(ip4() / tcp())
    for size in (1, 12, 13):
        yield cut(whole, size), None
