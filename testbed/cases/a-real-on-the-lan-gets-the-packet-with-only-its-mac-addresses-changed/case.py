"""MAC rewrite: the IP packet leaves as it came, to the real's own MAC address."""

from golden import frame, ip4, mac_rewrite, tcp


def packets():
    packet = frame(ip4() / tcp(flags="S"))
    yield packet, mac_rewrite(packet, "02:00:00:00:00:11")
