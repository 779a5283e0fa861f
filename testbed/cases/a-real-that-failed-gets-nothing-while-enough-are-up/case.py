"""Two thirds of the weight are up, 66 percent, and the pool panics below that: slots as if the real were not there."""

from golden import Pool, flow_of, frame, ip4, ipip, tcp


def packets():
    pool = Pool({"10.0.0.11": 100, "10.0.0.13": 100})
    for sport in range(40000, 40016):
        sent = frame(ip4() / tcp(sport=sport, flags="S"))
        yield sent, ipip(sent, pool.choose(flow_of(sent)))
