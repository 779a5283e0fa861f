"""Sixty-four flows over three reals, each with three packets: by hash once, by the table from then on."""

from golden import Pool, REAL4, flow_of, frame, ip4, ipip, tcp

BYTES_MAX = 40_000  # many flows are what this is about


def packets():
    pool = Pool({REAL4: 100, "10.0.0.12": 100, "10.0.0.13": 100})
    for flags in ("S", "A", "PA"):
        for sport in range(40000, 40064):
            packet = frame(ip4() / tcp(sport=sport, flags=flags))
            yield packet, ipip(packet, pool.choose(flow_of(packet)))
