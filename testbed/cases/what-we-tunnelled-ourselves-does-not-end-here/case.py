"""A packet whose outer source is our own tunnels' has come back: it is dropped, whoever may send."""

from golden import GRE, frame, ip4, tcp, to_end, to_end6


def packets():
    inner = ip4() / tcp()
    yield frame(to_end(src="192.0.2.1") / GRE() / inner), None
    yield frame(to_end6(src="2001:db8::1") / inner), None
