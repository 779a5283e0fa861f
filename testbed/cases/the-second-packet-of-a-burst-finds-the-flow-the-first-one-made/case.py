"""All in one burst, all at one time: one insertion, whatever the burst size."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    for flags in ("S", "A", "PA", "A", "A", "PA", "A"):
        packet = frame(ip4() / tcp(flags=flags))
        yield packet, ipip(packet, REAL4), 0
