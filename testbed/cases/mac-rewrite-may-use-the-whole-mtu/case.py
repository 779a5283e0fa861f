"""No outer header: an IP packet of 1500 bytes passes, with its tags beside it; 1501 do not."""

from golden import frame, ip4, mac_rewrite, tcp, too_big


def packets():
    packet = frame(ip4() / tcp() / bytes(1460), tags=((0x8100, 5),))
    yield packet, mac_rewrite(packet, "02:00:00:00:00:11")
    packet = frame(ip4() / tcp() / bytes(1461))
    yield packet, too_big(packet, 1500)
