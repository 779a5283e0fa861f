"""An id that ends before its server id and nonce do is unroutable (draft-ietf-quic-load-balancers-21 §4.1): what stands
behind it in the header is not its."""

from golden import Ids, Pool, flow_of, frame, ip4, ipip, long, udp

A = Ids(0, 2, 14, bytes.fromhex("8f95f09245765f80256934e50c66207f"))
POOL = Pool({"10.0.0.11": 100, "10.0.0.12": 100, "10.0.0.13": 100})


def packets():
    for sport in range(40000, 40008):
        packet = frame(ip4() / udp(sport=sport, dport=443) / long(A.make("0001")[:16], A.make("0001")))
        yield packet, ipip(packet, POOL.choose(flow_of(packet)))
