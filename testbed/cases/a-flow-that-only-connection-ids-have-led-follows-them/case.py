"""A client that moved is first met by its id: errors, which show none of ours in a short header, follow what ids say, until
a packet without such an id has gone by the flow; from then on it stays (draft-ietf-quic-load-balancers-21 §4.3.1)."""

from golden import CLIENT4, IP, UDP, VIP4, Ids, error4, flow_of, frame, ip4, ipip, long, short, udp

A = Ids(0, 2, 14, bytes.fromhex("8f95f09245765f80256934e50c66207f"))


def packets():
    for sport in range(40000, 40004):
        other = frame(ip4() / udp(sport=sport, dport=443) / long(b"\xe3 my own"))
        quote = IP(src=VIP4, dst=CLIENT4) / UDP(sport=443, dport=sport) / short(b"client's")
        error = frame(error4(3, quote, code=4, size=100))
        for number in (1, 2, 3, 2):
            packet = frame(ip4() / udp(sport=sport, dport=443) / short(A.make(f"000{number}")))
            yield packet, ipip(packet, f"10.0.0.1{number}")
            yield error, ipip(error, f"10.0.0.1{number}", flow=flow_of(other))
        yield other, ipip(other, "10.0.0.12")
        for number in (1, 3):
            packet = frame(ip4() / udp(sport=sport, dport=443) / short(A.make(f"000{number}")))
            yield packet, ipip(packet, f"10.0.0.1{number}")
            yield error, ipip(error, "10.0.0.12", flow=flow_of(other))
            yield other, ipip(other, "10.0.0.12")
