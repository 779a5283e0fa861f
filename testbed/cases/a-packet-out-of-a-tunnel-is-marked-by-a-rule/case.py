"""A rule asks of what a tunnel that ends here carried, and not of the tunnel: the inner packet is marked or dropped, and
goes on with what is left of the outer TTL, 64 less the 16 of one router. A tunnel from elsewhere is refused before any rule
is asked."""

from golden import REAL4, frame, ip4, ipip, remarked, tcp, to_end


def packets():
    inner = ip4() / tcp()
    for _ in range(2):
        yield frame(to_end() / inner), ipip(remarked(frame(inner), 46), REAL4, hop_limit=48)
    yield frame(to_end() / ip4(src="192.0.2.99") / tcp()), None
    yield frame(to_end(src="192.0.2.77") / ip4(src="192.0.2.99") / tcp()), None
