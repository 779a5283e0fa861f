"""Ports without a protocol are TCP's and UDP's: what has no ports is not matched, though all ports are asked for."""

from golden import echo4, echo_answer, frame, ip4, tcp, udp


def packets():
    yield frame(ip4() / tcp(dport=80)), None
    yield frame(ip4() / udp(dport=53)), None
    packet = frame(echo4())
    yield packet, echo_answer(packet)
