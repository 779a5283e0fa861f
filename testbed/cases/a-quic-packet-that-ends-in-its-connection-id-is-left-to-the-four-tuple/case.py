"""A short header ends with the datagram; what fills up the frame is nobody's (RFC 768, draft-ietf-quic-load-balancers-21
§4.1)."""

from golden import Ids, Pool, flow_of, frame, ip4, ipip, padded, udp

C = Ids(0, 2, 6)
POOL = Pool({"10.0.0.11": 100, "10.0.0.12": 100, "10.0.0.13": 100})


def packets():
    for sport in range(40000, 40008):
        packet = padded(frame(ip4() / udp(sport=sport, dport=443) / (b"\x41" + C.make("0001")[:6])), size=60, filling=b"\xa4")
        yield packet, ipip(packet, POOL.choose(flow_of(packet)))
