"""Only an outer IPv4 header without Don't Fragment takes one."""

from golden import REAL6, frame, ip4, ipip, mac_rewrite, tcp


def packets():
    for sport, identification in ((40000, 0), (40001, 1), (40002, 2)):
        packet = frame(ip4(flags=0) / tcp(sport=sport, dport=80))
        yield packet, mac_rewrite(packet, "02:00:00:00:00:11")
        packet = frame(ip4(flags=0) / tcp(sport=sport, dport=81))
        yield packet, ipip(packet, REAL6)
        packet = frame(ip4(flags=0) / tcp(sport=sport, dport=82))
        yield packet, ipip(packet, "10.0.0.12", identification=identification)
