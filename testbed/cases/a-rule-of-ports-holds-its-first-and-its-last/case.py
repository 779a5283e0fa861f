"""ports and source_ports: both ends belong to a range."""

from golden import REAL4, frame, ip4, ipip, tcp

API = "10.0.0.21"


def packets():
    for sport, dport, real in ((999, 80, REAL4), (1000, 80, API), (1003, 80, API), (1004, 80, REAL4),
                               (1000, 79, None), (1000, 81, API), (1000, 82, None)):
        packet = frame(ip4() / tcp(sport=sport, dport=dport))
        yield packet, real and ipip(packet, real)
