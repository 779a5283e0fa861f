"""The encapsulation belongs to the real, not to the service."""

from golden import Pool, REAL4, flow_of, frame, ip4, ipip, mac_rewrite, tcp


def packets():
    pool = Pool({REAL4: 100, "10.0.0.12": 100})
    for sport in range(40000, 40008):
        packet = frame(ip4() / tcp(sport=sport, flags="S"))
        if pool.choose(flow_of(packet)) == REAL4:
            yield packet, ipip(packet, REAL4)
        else:
            yield packet, mac_rewrite(packet, "02:00:00:00:00:12")
