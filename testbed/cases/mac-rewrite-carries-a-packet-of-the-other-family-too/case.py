"""Nothing of the real's own address goes on the wire: an IPv6 packet may go to a real known by its IPv4 address."""

from golden import frame, ip6, mac_rewrite, tcp


def packets():
    packet = frame(ip6() / tcp(flags="S"))
    yield packet, mac_rewrite(packet, "02:00:00:00:00:11")
