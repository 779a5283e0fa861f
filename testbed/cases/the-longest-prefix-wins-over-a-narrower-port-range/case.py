"""Any port of the address beats port 80 of the net around it."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    packet = frame(ip4() / tcp(dport=80))
    yield packet, ipip(packet, REAL4)
    packet = frame(ip4(dst="198.51.100.11") / tcp(dport=80))
    yield packet, ipip(packet, "10.0.0.12")
