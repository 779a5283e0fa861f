"""Whoever has seen an id of the servers' may send it from another's address and port: that datagram goes where the id says,
and the victim's own packets and the errors about them go on as before (draft-ietf-quic-load-balancers-21 §4.3.1, §6)."""

from golden import CLIENT4, IP, UDP, VIP4, Ids, Pool, error4, flow_of, frame, ip4, ipip, long, short, udp

A = Ids(0, 2, 14, bytes.fromhex("8f95f09245765f80256934e50c66207f"))
POOL = Pool({"10.0.0.11": 100, "10.0.0.12": 100, "10.0.0.13": 100})


def packets():
    for sport in range(40000, 40004):
        victim = frame(ip4() / udp(sport=sport, dport=443) / long(b"\xe3 my own"))
        quote = IP(src=VIP4, dst=CLIENT4) / UDP(sport=443, dport=sport) / short(b"client's")
        error = frame(error4(3, quote, code=4, size=100))
        real = POOL.choose(flow_of(victim))
        yield victim, ipip(victim, real)
        for number in (1, 2, 3):
            forged = frame(ip4() / udp(sport=sport, dport=443) / short(A.make(f"000{number}")))
            yield forged, ipip(forged, f"10.0.0.1{number}")
            yield error, ipip(error, real, flow=flow_of(victim))
        yield victim, ipip(victim, real)
