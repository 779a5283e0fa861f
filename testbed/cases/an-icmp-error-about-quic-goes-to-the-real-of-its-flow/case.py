"""The flow's entry says where: a server's packet names its client in the destination id, and nobody in a short header."""

from golden import CLIENT4, IP, UDP, VIP4, Ids, error4, flow_of, frame, ip4, ipip, long, short, udp

A = Ids(0, 2, 14, bytes.fromhex("8f95f09245765f80256934e50c66207f"))


def packets():
    for number in (1, 2, 3):
        packet = frame(ip4() / udp(dport=443) / short(A.make(f"000{number}")))
        yield packet, ipip(packet, f"10.0.0.1{number}")
        for answer in (short(b"client's"), long(b"client's", A.make("0003"))):
            quote = IP(src=VIP4, dst=CLIENT4) / UDP(sport=443, dport=40000) / answer
            error = frame(error4(3, quote, code=4, size=100))
            yield error, ipip(error, f"10.0.0.1{number}", flow=flow_of(packet))
