"""RFC 6864 §4: atomic datagrams carry 0 and use up none; the others count on, whatever flow or real they are for."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    identification = 0
    for sport in range(40000, 40012):
        may = sport % 3 == 0
        packet = frame(ip4(flags=0 if may else "DF") / tcp(sport=sport, dport=80 + sport % 2))
        yield packet, ipip(packet, REAL4 if sport % 2 == 0 else "10.0.0.12", identification=identification)
        identification += may
