"""Above the rate of new flows none is entered; an id leads all the same, and what has none goes by its hash."""

from golden import Ids, Pool, flow_of, frame, ip4, ipip, long, short, udp

A = Ids(0, 2, 14, bytes.fromhex("8f95f09245765f80256934e50c66207f"))
POOL = Pool({"10.0.0.11": 100, "10.0.0.12": 100, "10.0.0.13": 100})


def packets():
    for sport in range(40000, 40008):
        packet = frame(ip4() / udp(sport=sport, dport=443) / short(A.make("0002")))
        yield packet, ipip(packet, "10.0.0.12"), 0
    for sport in range(40001, 40008):
        packet = frame(ip4() / udp(sport=sport, dport=443) / long(b"\xe3 my own"))
        yield packet, ipip(packet, POOL.choose(flow_of(packet))), 0
