"""MAC rewrite of an IPv6 packet."""

from golden import frame, ip6, mac_rewrite, tcp


def packets():
    packet = frame(ip6() / tcp(flags="S") / b"hello")
    yield packet, mac_rewrite(packet, "02:00:00:00:00:11")
