"""A prime per pool: 251 here beside another pool's 127."""

from golden import Pool, REAL4, flow_of, frame, ip4, ipip, tcp


def packets():
    first = Pool({REAL4: 100, "10.0.0.12": 100, "10.0.0.13": 50}, slots=251)
    second = Pool({REAL4: 100, "10.0.0.12": 100, "10.0.0.13": 50}, slots=127)
    for sport in range(40000, 40016):
        for dport, pool in ((80, first), (81, second)):
            packet = frame(ip4() / tcp(sport=sport, dport=dport, flags="S"))
            yield packet, ipip(packet, pool.choose(flow_of(packet)))
