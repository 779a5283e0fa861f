"""Options that would lie outside the packet; padding does not count."""

from golden import REAL4, frame, ip4, ip6, ipip, padded, tcp


def packets():
    yield frame(ip4() / tcp(dataofs=6)), None
    yield padded(frame(ip4() / tcp(dataofs=6) / b"abc"), 80), None
    yield frame(ip6() / tcp(dataofs=15) / bytes(39)), None
    packet = frame(ip4() / tcp(dataofs=15) / bytes(40))
    yield packet, ipip(packet, REAL4)
