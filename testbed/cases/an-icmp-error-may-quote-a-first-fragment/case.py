"""Offset 0 has the ports, whatever More Fragments says."""

from golden import REAL4, error4, flow_of, frame, ip4, ipip, reply, tcp


def packets():
    packet = frame(ip4() / tcp())
    yield packet, ipip(packet, REAL4)
    error = frame(error4(11, reply(packet, flags="MF"), code=1))
    yield error, ipip(error, REAL4, flow=flow_of(packet))
