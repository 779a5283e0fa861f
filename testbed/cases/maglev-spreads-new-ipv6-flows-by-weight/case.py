"""The same for IPv6, whose tuples take another path through the keyed hash."""

from golden import Pool, REAL4, flow_of, frame, ip6, ipip, tcp

BYTES_MAX = 24_000  # many flows are what this is about


def packets():
    pool = Pool({REAL4: 100, "10.0.0.12": 200, "10.0.0.13": 50, "10.0.0.14": 1})
    for host in range(1, 101):
        packet = frame(ip6(src=f"2001:db8:c:{host:x}::{host * 257:x}") / tcp(sport=1024 + 601 * host, flags="S"))
        yield packet, ipip(packet, pool.choose(flow_of(packet)))
