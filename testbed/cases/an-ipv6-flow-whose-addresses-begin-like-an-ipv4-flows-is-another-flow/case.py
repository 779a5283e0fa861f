"""The family is part of the tuple: the same leading bytes and zeros behind them are not the same address."""

from golden import REAL4, frame, ip4, ip6, ipip, tcp


def packets():
    four = frame(ip4() / tcp())
    six = frame(ip6(src="cb00:7107::", dst="c633:640a::") / tcp())
    for packet in (four, six, four, six):
        yield packet, ipip(packet, REAL4)
