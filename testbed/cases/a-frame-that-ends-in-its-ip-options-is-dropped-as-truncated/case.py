"""The header length promises forty bytes of options."""

from golden import IPOption, cut, frame, ip4, tcp


def packets():
    whole = frame(ip4(options=[IPOption(b"\x01" * 40)]) / tcp())
    for size in (34, 50, 73):
        yield cut(whole, size), None
