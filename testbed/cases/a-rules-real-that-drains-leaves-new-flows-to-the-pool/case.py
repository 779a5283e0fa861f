"""A real that takes no new flows is given none by a rule either: the pool of the rule's service chooses by the flow's
hash.
"""

from golden import Pool, REAL4, flow_of, frame, ip4, ipip, tcp


def packets():
    pool = Pool({REAL4: 100, "10.0.0.12": 100, "10.0.0.13": 100})
    for sport in range(40000, 40008):
        packet = frame(ip4() / tcp(sport=sport))
        yield packet, ipip(packet, pool.choose(flow_of(packet)))
