"""RFC 2473 §7: the tunnel's MTU less the outer header, 1460 bytes inside for 1500."""

from golden import REAL6, frame, ip6, ipip, tcp, too_big


def packets():
    packet = frame(ip6() / tcp() / bytes(1400))
    yield packet, ipip(packet, REAL6)
    packet = frame(ip6() / tcp() / bytes(1401))
    yield packet, too_big(packet, 1460)
