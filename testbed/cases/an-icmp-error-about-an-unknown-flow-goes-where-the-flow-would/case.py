"""Chosen by the hash of the quoted tuple, and not put into the table: the flow's own packet is still the one that
does that.
"""

from golden import Pool, REAL4, error4, flow_of, frame, ip4, ipip, reply, tcp


def packets():
    pool = Pool({REAL4: 100, "10.0.0.12": 100, "10.0.0.13": 100})
    for sport in range(40000, 40008):
        packet = frame(ip4() / tcp(sport=sport))
        real = pool.choose(flow_of(packet))
        error = frame(error4(3, reply(packet), code=4))
        yield error, ipip(error, real, flow=flow_of(packet))
        yield packet, ipip(packet, real)
