"""Keyed by the first 24 bits: a network behind many addresses is one client, the next network is another."""

from golden import Pool, chooser, flow_of, frame, ip4, ipip, tcp

REALS = {"10.0.0.11": 100, "10.0.0.12": 100, "10.0.0.13": 100}


def packets():
    pool, reals = Pool(REALS), set()
    for network in range(6):
        seen = set()
        for host in (0, 7, 255):
            sent = frame(ip4(src=f"203.0.{network}.{host}") / tcp(sport=40000 + host, flags="S"))
            real = pool.choose(chooser(flow_of(sent), {"vip": "198.51.100.10", "key": "source/24"}))
            seen.add(real)
            yield sent, ipip(sent, real)
        assert len(seen) == 1
        reals |= seen
    assert len(reals) > 1
