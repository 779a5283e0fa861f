"""The bits of a key are those of its VIP's family. A rule sends IPv6 flows to a service of an IPv4 VIP: each client is one
of its own, and not all of a /24.
"""

from golden import Pool, chooser, flow_of, frame, ip6, ipip, tcp

REALS = {"10.0.0.11": 100, "10.0.0.12": 100, "10.0.0.13": 100}
KEYED = {"vip": "198.51.100.10", "key": "source/24"}


def packets():
    pool, reals = Pool(REALS), set()
    for host in range(1, 13):
        sent = frame(ip6(src=f"2001:db8:c::{host}") / tcp())
        real = pool.choose(chooser(flow_of(sent), KEYED))
        reals.add(real)
        yield sent, ipip(sent, real)
    assert len(reals) == 3
