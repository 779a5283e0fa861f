"""RFC 6438 §3: label by the inner five-tuple, not by the inner flow label; equal for every packet of the flow."""

from golden import REAL6, frame, ip6, ipip, tcp


def packets():
    for sport in range(40000, 40008):
        for label in (0, 0xABCDE):
            packet = frame(ip6(fl=label) / tcp(sport=sport))
            yield packet, ipip(packet, REAL6)
