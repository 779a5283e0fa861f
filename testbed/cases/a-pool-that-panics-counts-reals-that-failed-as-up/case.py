"""A third of the weight is up, which is below 50 percent: what failed gets its share, what somebody took down does not,
nor does it count."""

from golden import Pool, flow_of, frame, ip4, ipip, tcp


def packets():
    pool, reals = Pool({"10.0.0.11": 100, "10.0.0.12": 100, "10.0.0.13": 100}), set()
    for sport in range(40000, 40024):
        sent = frame(ip4() / tcp(sport=sport, flags="S"))
        reals.add(pool.choose(flow_of(sent)))
        yield sent, ipip(sent, pool.choose(flow_of(sent)))
    assert len(reals) == 3
