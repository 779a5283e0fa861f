"""Weights 100, 200, 50 and 1, and one that drains: every flow's real is computed apart (weighted rendezvous hashing)."""

from golden import Pool, REAL4, flow_of, frame, ip4, ipip, tcp


def packets():
    pool = Pool({REAL4: 100, "10.0.0.12": 200, "10.0.0.13": 50, "10.0.0.14": 1}, policy="rendezvous")
    for host in range(1, 101):
        packet = frame(ip4(src=f"203.0.113.{host}") / tcp(sport=1024 + 601 * host, flags="S"))
        yield packet, ipip(packet, pool.choose(flow_of(packet)))
