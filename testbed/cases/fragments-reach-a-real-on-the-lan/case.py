"""With their MAC addresses changed, and nothing else."""

from golden import ip4, mac_rewrite, pieces4, udp


def packets():
    first, middle, last = pieces4(ip4(flags=0) / udp() / bytes(64), 24, 48)
    for piece in (middle, first, last):
        yield piece, mac_rewrite(piece, "02:00:00:00:00:11")
