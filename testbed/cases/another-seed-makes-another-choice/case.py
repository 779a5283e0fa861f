"""[select] seed keys the hash; all routers of a cluster have the same one."""

from golden import Pool, REAL4, flow_of, frame, ip4, ip6, ipip, tcp


def packets():
    pool = Pool({REAL4: 100, "10.0.0.12": 100, "10.0.0.13": 100}, seed="00112233445566778899aabbccddeeff")
    for sport in range(40000, 40032):
        packet = frame((ip4() if sport % 2 else ip6()) / tcp(sport=sport, flags="S"))
        yield packet, ipip(packet, pool.choose(flow_of(packet)))
