"""Three who name one limit: the pots of each hold two packets (RFC 2697 §3)."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    sent = [frame(ip4(src=f"203.0.113.{host}") / tcp()) for host in (1, 2, 3)]
    for packet in sent * 2:
        yield packet, ipip(packet, REAL4)
    for packet in sent:
        yield packet, None
