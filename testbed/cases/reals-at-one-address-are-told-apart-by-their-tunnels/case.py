"""A real is known by its address and by its tunnel's form, port, key and inner MAC address: each has flows of its own, by
both policies, and keeps them.
"""

from golden import REAL4, REAL6, Inner, Pool, door, flow_of, frame, ip4, ipip, tcp, tunnelled

MAC = "02:00:00:00:01:11"
WAYS = [(REAL4, Inner("vxlan", 7, mac=MAC)), (REAL4, Inner("vxlan", 8, mac=MAC)),
        (REAL4, Inner("vxlan", 7, mac="02:00:00:00:01:12")), (REAL4, None),
        (REAL6, Inner("gue")), (REAL6, Inner("gue", port=6081)), (REAL6, Inner("gre")), (REAL6, Inner("gre", 0))]


def packets():
    ends = {door(*way): way for way in WAYS}
    weights = dict.fromkeys(ends, 100)
    pools = {80: Pool(weights, 251),
             81: Pool(weights | {door(*WAYS[0]): 50, door(*WAYS[-1]): 0}, 251, policy="rendezvous")}
    met = set()
    for sport in range(40000, 40025):
        for port, pool in pools.items():
            for flags in ("S", "A"):
                packet = frame(ip4() / tcp(sport, port, flags))
                real, inner = ends[pool.choose(flow_of(packet))]
                met.add((port, real, inner))
                yield packet, tunnelled(packet, real, inner) if inner else ipip(packet, real)
    assert len(met) == 8 + 7, met
