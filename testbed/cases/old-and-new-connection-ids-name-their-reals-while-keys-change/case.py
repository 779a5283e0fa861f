"""Two configurations at once (draft-ietf-quic-load-balancers-21 §3.1): ids of either lead where they say."""

from golden import Ids, frame, ip4, ipip, short, udp


OLD = Ids(0, 2, 14, bytes.fromhex("8f95f09245765f80256934e50c66207f"))
NEW = Ids(1, 2, 6, bytes.fromhex("00112233445566778899aabbccddeeff"))


def packets():
    for sport in (40000, 40001):
        for way in (OLD, NEW):
            for number in (1, 2, 3):
                packet = frame(ip4() / udp(sport=sport, dport=443) / short(way.make(f"000{number}")))
                yield packet, ipip(packet, f"10.0.0.1{number}")
