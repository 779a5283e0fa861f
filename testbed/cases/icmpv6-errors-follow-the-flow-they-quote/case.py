"""RFC 4443 §3.1 to §3.4: unreachable, packet too big, time exceeded, parameter problem."""

from golden import Pool, REAL6, error6, flow_of, frame, ip6, ipip, reply, tcp


def packets():
    pool = Pool({REAL6: 100, "2001:db8:a::12": 100})
    for sport, kind in enumerate((1, 2, 3, 4), 40000):
        packet = frame(ip6() / tcp(sport=sport))
        real = pool.choose(flow_of(packet))
        yield packet, ipip(packet, real)
        error = frame(error6(kind, reply(packet), rest=b"\0\0\x05\0"))
        yield error, ipip(error, real, flow=flow_of(packet))
