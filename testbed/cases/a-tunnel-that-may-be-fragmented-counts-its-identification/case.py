"""RFC 6864 §4.1: as for IP in IP, the outer header of a packet without Don't Fragment takes the next number; an outer
source prefix is filled as for it, too."""

from golden import frame, Inner, ip4, REAL4, tcp, tunnelled


def packets():
    for count, flags in enumerate((0, 0, "DF")):
        packet = frame(ip4(flags=flags) / tcp())
        yield packet, tunnelled(packet, REAL4, Inner("gre"), source="172.16.0.0/16", identification=count)
