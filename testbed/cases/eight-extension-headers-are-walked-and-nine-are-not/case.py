"""The walk is bounded: a longer chain than eight headers is dropped (RFC 8883 §3.1 lets nodes have such a limit)."""

from golden import REAL6, chained, frame, ip6, ipip, tcp


def packets():
    packet = frame(chained([60] * 8, ip6() / tcp()))
    yield packet, ipip(packet, REAL6)
    yield frame(chained([60] * 9, ip6() / tcp())), None
