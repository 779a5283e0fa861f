"""A port, a range around it, and any: each takes what the narrower ones leave."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    for dport, real in ((80, REAL4), (81, "10.0.0.12"), (79, "10.0.0.13"), (90, "10.0.0.12"), (91, "10.0.0.13")):
        packet = frame(ip4() / tcp(dport=dport))
        yield packet, ipip(packet, real)
