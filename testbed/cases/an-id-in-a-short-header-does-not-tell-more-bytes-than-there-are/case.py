"""A short header does not say where its id ends; where all servers tell the length in the first octet, it ends within the
packet, or no server made it (draft-ietf-quic-load-balancers-21 §3.3, §4.1)."""

from golden import Ids, Pool, flow_of, frame, ip4, ipip, short, udp

A = Ids(0, 2, 13, bytes.fromhex("8f95f09245765f80256934e50c66207f"), lengths=True)
POOL = Pool({"10.0.0.11": 100, "10.0.0.12": 100, "10.0.0.13": 100})


def packets():
    for told in (15, 16, 31):
        for behind in (told - 1, told, told + 1):
            data = short(bytes([told]), (A.make("0002")[1:] + bytes(31))[:behind])
            packet = frame(ip4() / udp(sport=40000 + 100 * told + behind, dport=443) / data)
            yield packet, ipip(packet, POOL.choose(flow_of(packet)) if behind < told else "10.0.0.12")
