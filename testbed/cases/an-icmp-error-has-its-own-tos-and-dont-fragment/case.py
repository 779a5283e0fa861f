"""The outer header comes from the error, which is the packet that travels; only the entropy is the flow's."""

from golden import REAL4, error4, flow_of, frame, ip4, ipip, reply, tcp


def packets():
    packet = frame(ip4(tos=0xB8) / tcp())
    yield packet, ipip(packet, REAL4, source="172.16.0.0/16")
    error = frame(error4(11, reply(packet), tos=0xC0, flags=0))
    yield error, ipip(error, REAL4, source="172.16.0.0/16", identification=0, flow=flow_of(packet))
