"""The tuple is hashed whole: destination and port count, not only the client."""

from golden import Pool, REAL4, flow_of, frame, ip4, ipip, tcp


def packets():
    pool = Pool({REAL4: 100, "10.0.0.12": 100, "10.0.0.13": 100})
    for last in (10, 20):
        for dport in (80, 443):
            for sport in range(40000, 40004):
                packet = frame(ip4(dst=f"198.51.100.{last}") / tcp(sport=sport, dport=dport, flags="S"))
                yield packet, ipip(packet, pool.choose(flow_of(packet)))
