"""RFC 9000 §9: another port, another address, both, and back; the id leads (draft-ietf-quic-load-balancers-21 §4.2)."""

from golden import Ids, frame, ip4, ipip, short, udp

A = Ids(0, 2, 14, bytes.fromhex("8f95f09245765f80256934e50c66207f"))


def packets():
    ends = [("203.0.113.7", 40000), ("203.0.113.7", 40001), ("203.0.113.99", 40000), ("192.0.2.200", 5), ("203.0.113.7", 40000)]
    for number in (1, 2, 3):
        for address, port in ends:
            packet = frame(ip4(src=address) / udp(sport=port, dport=443) / short(A.make(f"000{number}")))
            yield packet, ipip(packet, f"10.0.0.1{number}")
