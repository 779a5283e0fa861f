"""All four pairs of families."""

from golden import Ids, frame, ip4, ip6, ipip, long, short, udp

A = Ids(0, 2, 14, bytes.fromhex("8f95f09245765f80256934e50c66207f"))


def packets():
    for ip in (ip4, ip6):
        for real, id_ in (("10.0.0.11", "0001"), ("2001:db8:a::11", "0002")):
            for make in (long, short):
                packet = frame(ip() / udp(dport=443) / make(A.make(id_)))
                yield packet, ipip(packet, real)
