"""Port unreachable for an answer of a DNS server. It counts for the service and the real like any forwarded
packet.
"""

from golden import CLIENT4, REAL4, error4, flow_of, frame, ip4, ipip, reply, udp


def packets():
    packet = frame(ip4() / udp() / b"a question")
    yield packet, ipip(packet, REAL4)
    error = frame(error4(3, reply(packet), code=3, src=CLIENT4))
    yield error, ipip(error, REAL4, flow=flow_of(packet))
