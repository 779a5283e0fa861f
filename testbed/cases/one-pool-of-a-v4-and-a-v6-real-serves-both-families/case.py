"""All four pairs of families from one pool: the real chosen decides the outer header, the packet the inner one."""

from golden import Pool, REAL4, REAL6, flow_of, frame, ip4, ip6, ipip, tcp


def packets():
    pool = Pool({REAL4: 100, REAL6: 100})
    for sport in range(40000, 40008):
        for ip in (ip4(), ip6()):
            packet = frame(ip / tcp(sport=sport, flags="S"))
            yield packet, ipip(packet, pool.choose(flow_of(packet)))
