"""A real that drains keeps its connections, wherever they come from; so does one that left the pool."""

from golden import Ids, frame, ip4, ipip, short, udp

A = Ids(0, 2, 14, bytes.fromhex("8f95f09245765f80256934e50c66207f"))


def packets():
    for sport in range(40000, 40004):
        for number in (2, 3):
            packet = frame(ip4() / udp(sport=sport, dport=443) / short(A.make(f"000{number}")))
            yield packet, ipip(packet, f"10.0.0.1{number}")
