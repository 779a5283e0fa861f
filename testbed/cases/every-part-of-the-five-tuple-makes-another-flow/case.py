"""Source, destination, both ports and the protocol: one changed at a time."""

from golden import REAL4, frame, ip4, ipip, tcp, udp


def packets():
    changed = [ip4() / tcp(), ip4(src="203.0.113.8") / tcp(), ip4(dst="198.51.100.11") / tcp(),
               ip4() / tcp(sport=40001), ip4() / tcp(dport=81), ip4() / udp(dport=80) / b"x"]
    for packet in changed * 2:
        packet = frame(packet)
        yield packet, ipip(packet, REAL4)
