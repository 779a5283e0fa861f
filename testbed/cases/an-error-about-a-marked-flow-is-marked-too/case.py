"""An ICMP error goes where its flow goes (RFC 792), by the way that its service's packets go."""

from golden import MPLS, REAL4, error4, flow_of, frame, ip4, ipip, labelled, remarked, reply, tcp


def packets():
    packet = frame(ip4() / tcp())
    yield packet, labelled(ipip(remarked(packet, 46), REAL4), MPLS(label=16, cos=0, ttl=64))
    error = frame(error4(3, reply(packet), code=4))
    out = ipip(remarked(error, 46), REAL4, flow=flow_of(packet))
    yield error, labelled(out, MPLS(label=16, cos=0, ttl=64))
