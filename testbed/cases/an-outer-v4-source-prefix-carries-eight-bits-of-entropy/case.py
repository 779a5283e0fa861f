"""The bits below the prefix spread flows over the real's receive queues; a flow always has the same ones."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    for sport in range(40000, 40016):
        packet = frame(ip4() / tcp(sport=sport))
        for _ in range(2):
            yield packet, ipip(packet, REAL4, source="172.16.5.0/24")
