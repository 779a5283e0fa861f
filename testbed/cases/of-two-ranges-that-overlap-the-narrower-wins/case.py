"""8000-8099 and 8050-8249 share fifty ports: they go to the one of a hundred."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    for dport, real in ((8049, REAL4), (8050, REAL4), (8099, REAL4), (8100, "10.0.0.12"), (8249, "10.0.0.12")):
        packet = frame(ip4() / tcp(dport=dport))
        yield packet, ipip(packet, real)
