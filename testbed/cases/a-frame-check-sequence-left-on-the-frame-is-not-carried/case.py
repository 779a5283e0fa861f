"""Four bytes behind the packet, as some taps leave them."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    packet = frame(ip4() / tcp() / bytes(100)) + b"\xde\xad\xbe\xef"
    yield packet, ipip(packet, REAL4)
