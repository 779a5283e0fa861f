"""The frame ends there, or the payload length says so."""

from golden import chained, cut, extension, frame, ip6, tcp


def packets():
    whole = frame(chained([60], ip6() / tcp(), size=32))
    yield cut(whole, 54 + 1), None
    yield cut(whole, 54 + 31), None
    yield frame(ip6(nh=60) / extension(60, 6, size=32)[:24]), None
    yield frame(ip6(nh=60) / extension(60, 6)[:1]), None
    yield frame(ip6(nh=0)), None
