"""Where there is no outer header the packet's own is marked; a mark for the outer one marks nothing there."""

from golden import NEXT_HOP, frame, ip4, mac_rewrite, remarked, tcp


def packets():
    packet = frame(ip4() / tcp())
    yield packet, mac_rewrite(remarked(packet, 10), NEXT_HOP)
    packet = frame(ip4() / tcp(dport=81))
    yield packet, mac_rewrite(packet, NEXT_HOP)
