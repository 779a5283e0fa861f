"""Another router on the way, and no flow here: the quoted packet's source id, where its header is long
(draft-ietf-quic-load-balancers-21 §6), else the hash."""

from golden import CLIENT4, CLIENT6, IP, UDP, VIP4, VIP6, Ids, IPv6, Pool, error4, error6, frame, ipip, long, short
from golden.frames import Flow

A = Ids(0, 2, 14, bytes.fromhex("8f95f09245765f80256934e50c66207f"))
POOL = Pool({"10.0.0.11": 100, "10.0.0.12": 100, "10.0.0.13": 100})


def packets():
    for number in (1, 2, 3):
        answer = long(b"client's", A.make(f"000{number}"))
        error = frame(error4(3, IP(src=VIP4, dst=CLIENT4) / UDP(sport=443, dport=40000) / answer, code=4, size=100))
        yield error, ipip(error, f"10.0.0.1{number}", flow=Flow(CLIENT4, VIP4, 40000, 443, 17))
        error = frame(error6(2, IPv6(src=VIP6, dst=CLIENT6) / UDP(sport=443, dport=40000) / answer))
        yield error, ipip(error, f"10.0.0.1{number}", flow=Flow(CLIENT6, VIP6, 40000, 443, 17))
    for sport in range(40000, 40004):
        for answer, size in ((short(A.make("0001")), 100), (long(b"client's", A.make("0001")), 28), (b"", 28)):
            error = frame(error4(3, IP(src=VIP4, dst=CLIENT4) / UDP(sport=443, dport=sport) / answer, code=4, size=size))
            flow = Flow(CLIENT4, VIP4, sport, 443, 17)
            yield error, ipip(error, POOL.choose(flow), flow=flow)
