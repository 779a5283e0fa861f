"""Reals are sorted by address before the table is filled: two routers with the same set agree on every slot."""

from golden import Pool, REAL4, flow_of, frame, ip4, ipip, tcp


def packets():
    pool = Pool({REAL4: 100, "10.0.0.12": 60, "10.0.0.13": 80})
    for sport in range(40000, 40032):
        packet = frame(ip4() / tcp(sport=sport, flags="S"))
        yield packet, ipip(packet, pool.choose(flow_of(packet)))
