"""A weight of 0 takes a real out of the pool's slots."""

from golden import frame, ip4, ipip, tcp


def packets():
    for sport in range(40000, 40016):
        packet = frame(ip4() / tcp(sport=sport, flags="S"))
        yield packet, ipip(packet, "10.0.0.12")
