"""The same for IPv6."""

from golden import Pool, REAL6, error6, flow_of, frame, ip6, ipip, reply, tcp


def packets():
    pool = Pool({REAL6: 100, "2001:db8:a::12": 100, "2001:db8:a::13": 100})
    for sport in range(40000, 40008):
        packet = frame(ip6() / tcp(sport=sport))
        error = frame(error6(2, reply(packet), rest=b"\0\0\x05\0"))
        yield error, ipip(error, pool.choose(flow_of(packet)), flow=flow_of(packet))
