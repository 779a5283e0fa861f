"""It has the ports; a later one has none (RFC 4443 §3)."""

from golden import REAL4, error6, flow_of, frame, ip6, ipip, pieces6, reply, udp


def packets():
    packet = frame(ip6() / udp())
    yield packet, ipip(packet, REAL4)
    answer = reply(packet) / bytes(64)
    first, last = pieces6(answer, 24)
    error = frame(error6(3, first[14:], code=1))
    yield error, ipip(error, REAL4, flow=flow_of(packet))
    yield frame(error6(3, last[14:], code=1)), None
