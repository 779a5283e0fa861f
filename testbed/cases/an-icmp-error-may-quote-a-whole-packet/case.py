"""RFC 1812 §4.3.2.3: as much of the packet as fits 576 bytes."""

from golden import REAL4, error4, flow_of, frame, ip4, ipip, reply, tcp


def packets():
    packet = frame(ip4() / tcp())
    yield packet, ipip(packet, REAL4)
    error = frame(error4(11, bytes(reply(packet)) + bytes(500), size=548))
    yield error, ipip(error, REAL4, flow=flow_of(packet))
