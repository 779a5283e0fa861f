"""Over IPv6, keyed by the first 56 bits of the source: what one site gets, and its hosts change their addresses
(RFC 8981)."""

from golden import Pool, ah, chooser, esp, flow_of, frame, ip6, ipip

REALS = {"10.0.0.11": 100, "10.0.0.12": 100, "10.0.0.13": 100}
BY_NETWORK = {"vip": "2001:db8:100::10", "key": "source/24,56"}


def packets():
    pool, reals = Pool(REALS), {}
    for site in range(6):
        for host in (":1", "ff:1:2:3:4"):
            src = f"2001:db8:c{site}:{host}"
            for packet in (ip6(nh=50, src=src) / esp(), ip6(nh=51, src=src) / ah()):
                sent = frame(packet)
                real = pool.choose(chooser(flow_of(sent), BY_NETWORK))
                reals.setdefault(site, set()).add(real)
                yield sent, ipip(sent, real)
    assert all(len(each) == 1 for each in reals.values())
