"""RFC 792, RFC 1122 §3.2.2: unreachable, needs fragmentation, time exceeded, parameter problem go to the real that
has the flow.
"""

from golden import Pool, REAL4, error4, flow_of, frame, ip4, ipip, reply, tcp


def packets():
    pool = Pool({REAL4: 100, "10.0.0.12": 100})
    for sport, (kind, code) in enumerate(((3, 0), (3, 1), (3, 3), (3, 4), (11, 0), (12, 0)), 40000):
        packet = frame(ip4() / tcp(sport=sport))
        real = pool.choose(flow_of(packet))
        yield packet, ipip(packet, real)
        error = frame(error4(kind, reply(packet), code=code))
        yield error, ipip(error, real, flow=flow_of(packet))
