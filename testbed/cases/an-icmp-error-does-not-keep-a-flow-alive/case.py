"""Errors come from anybody on the way: they follow a flow and do not refresh it."""

from golden import REAL4, error4, flow_of, frame, ip4, ipip, reply, udp


def packets():
    packet = frame(ip4() / udp() / b"a question")
    error = frame(error4(11, reply(packet)))
    yield packet, ipip(packet, REAL4), 0
    yield error, ipip(error, REAL4, flow=flow_of(packet)), 0.75
    yield packet, ipip(packet, REAL4), 1.5
