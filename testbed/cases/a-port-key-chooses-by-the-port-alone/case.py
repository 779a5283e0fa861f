"""Keyed by destination port: every client of a port is at one real, of both families and of TCP and UDP alike."""

from golden import Pool, chooser, flow_of, frame, ip4, ip6, ipip, tcp, udp

REALS = {"10.0.0.11": 100, "10.0.0.12": 100, "10.0.0.13": 100}


def packets():
    pool, reals = Pool(REALS), set()
    for dport in range(8000, 8008):
        seen = set()
        for packet in (ip4(src="203.0.113.1") / tcp(dport=dport), ip4(src="203.0.113.2") / tcp(sport=1, dport=dport),
                       ip6() / udp(dport=dport) / b"q"):
            sent = frame(packet)
            real = pool.choose(chooser(flow_of(sent), {"vip": "198.51.100.10", "key": "port"}))
            seen.add(real)
            yield sent, ipip(sent, real)
        assert len(seen) == 1
        reals |= seen
    assert len(reals) > 1
