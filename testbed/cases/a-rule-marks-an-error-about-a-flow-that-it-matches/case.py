"""An ICMP error goes where its flow goes (RFC 792), and by a rule as its flow's packets do: it is marked, and counts against
the limit. It asks nothing but what the flow says, so an error of a flow that nobody knows is marked too."""

from golden import REAL4, error4, flow_of, frame, ip4, ipip, remarked, reply, tcp


def packets():
    packet = frame(ip4() / tcp())
    yield packet, ipip(remarked(packet, 46), REAL4)
    error = frame(error4(3, reply(packet), code=4))
    yield error, ipip(remarked(error, 46), REAL4, flow=flow_of(packet))
    yield error, None
    other = frame(ip4(src="192.0.2.99") / tcp())
    error = frame(error4(3, reply(other), code=4))
    yield error, ipip(error, REAL4, flow=flow_of(other))
