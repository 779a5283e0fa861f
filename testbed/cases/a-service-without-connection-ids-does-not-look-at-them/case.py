"""The same packets to another port of the VIP go by their four-tuple, and no counter of QUIC moves."""

from golden import Ids, Pool, flow_of, frame, ip4, ipip, short, udp

A = Ids(0, 2, 14, bytes.fromhex("8f95f09245765f80256934e50c66207f"))
POOL = Pool({"10.0.0.11": 100, "10.0.0.12": 100, "10.0.0.13": 100})


def packets():
    for sport in range(40000, 40008):
        packet = frame(ip4() / udp(sport=sport, dport=53) / short(A.make("0002")))
        yield packet, ipip(packet, POOL.choose(flow_of(packet)))
