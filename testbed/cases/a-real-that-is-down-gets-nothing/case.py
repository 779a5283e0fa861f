"""state = "down": as if it were no member."""

from golden import Pool, REAL4, flow_of, frame, ip4, ipip, tcp


def packets():
    pool = Pool({REAL4: 100, "10.0.0.12": 100})
    for sport in range(40000, 40016):
        packet = frame(ip4() / tcp(sport=sport, flags="S"))
        yield packet, ipip(packet, pool.choose(flow_of(packet)))
