"""Headers only: TCP with options, UDP of length eight."""

from golden import REAL4, frame, ip4, ip6, ipip, tcp, udp


def packets():
    packet = frame(ip4() / tcp(flags="S", options=[("MSS", 1460), ("SAckOK", b""), ("WScale", 7), ("NOP", None)]))
    yield packet, ipip(packet, REAL4)
    packet = frame(ip6() / udp())
    yield packet, ipip(packet, REAL4)
