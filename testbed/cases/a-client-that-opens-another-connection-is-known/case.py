"""The second connection of a client follows the first one's real, as flow.affinity tells; a stranger is chosen for."""

from golden import Pool, chooser, flow_of, frame, ip4, ipip, tcp

REALS = {"10.0.0.11": 100, "10.0.0.12": 100, "10.0.0.13": 100}


def packets():
    pool = Pool(REALS)
    for host, sport, flags in [(1, 40000, "S"), (1, 40000, "A"), (1, 40001, "S"), (2, 40002, "S"), (1, 40003, "S")]:
        sent = frame(ip4(src=f"203.0.113.{host}") / tcp(sport=sport, flags=flags))
        real = pool.choose(chooser(flow_of(sent), {"vip": "198.51.100.10", "key": "source"}))
        yield sent, ipip(sent, real)
