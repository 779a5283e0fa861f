"""A client's first packets have an id of its own making and go by the four-tuple; the server's id leads wherever it names
a real (draft-ietf-quic-load-balancers-21 §4.2), and what has none after that goes where the four-tuple went before."""

from golden import Ids, Pool, flow_of, frame, ip4, ipip, long, short, udp

A = Ids(0, 2, 14, bytes.fromhex("8f95f09245765f80256934e50c66207f"))
POOL = Pool({"10.0.0.11": 100, "10.0.0.12": 100, "10.0.0.13": 100})


def packets():
    for sport in range(40000, 40006):
        first = frame(ip4() / udp(sport=sport, dport=443) / long(b"\xe3 my own"))
        yield first, ipip(first, POOL.choose(flow_of(first)))
        for number in (1, 2, 3):
            packet = frame(ip4() / udp(sport=sport, dport=443) / short(A.make(f"000{number}")))
            yield packet, ipip(packet, f"10.0.0.1{number}")
            yield first, ipip(first, POOL.choose(flow_of(first)))
