"""Prefixes of an end hold for that end alone; the last address of a prefix is in it and the next one is not."""

from golden import GRE, REAL4, frame, ip4, ipip, tcp, to_end, to_end6


def packets():
    inner = ip4() / tcp()
    out = ipip(frame(inner), REAL4, hop_limit=48)
    yield frame(to_end() / inner), out
    yield frame(to_end(src="192.0.2.201") / inner), None
    yield frame(to_end(src="192.0.2.201") / GRE() / inner), out
    yield frame(to_end(src="192.0.2.255") / GRE() / inner), out
    yield frame(to_end(src="192.0.3.0") / GRE() / inner), None
    yield frame(to_end6(src="2001:db8:e::ffff:ffff:ffff:ffff") / inner), out
    yield frame(to_end6(src="2001:db8:e:1::") / inner), None
