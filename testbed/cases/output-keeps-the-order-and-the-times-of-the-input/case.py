"""Drops and punts leave gaps and nothing else."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    for index in range(12):
        packet = frame(ip4() / tcp(sport=40000 + index, dport=80 + index % 2))
        yield packet, ipip(packet, REAL4) if index % 2 == 0 else None, index * 0.062_5
