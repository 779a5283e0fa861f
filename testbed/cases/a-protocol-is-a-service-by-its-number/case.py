"""253 is for experiments (RFC 3692): forwarded, behind an extension header too; 254 is nobody's."""

from golden import Pool, chained, flow_of, frame, ip4, ip6, ipip

REALS = {"10.0.0.11": 100, "10.0.0.12": 100, "10.0.0.13": 100}


def packets():
    pool = Pool(REALS)
    for packet in (ip4(proto=253) / b"data", ip4(proto=253), ip6(nh=253) / b"data"):
        sent = frame(packet)
        yield sent, ipip(sent, pool.choose(flow_of(sent)))
    plain = flow_of(frame(ip6(nh=253) / b"data"))
    sent = frame(chained([60], ip6(nh=253) / b"data"))
    yield sent, ipip(sent, pool.choose(plain), flow=plain)
    yield frame(ip4(proto=254) / b"data"), None
    yield frame(ip6(nh=254) / b"data"), None
