"""It is punted as any other packet; a tunnel makes nobody's address ours."""

from golden import frame, ip4, ip6, tcp, to_end


def packets():
    yield frame(to_end() / ip4(dst="192.0.2.9") / tcp(dport=22)), None
    yield frame(to_end() / ip6(dst="2001:db8:f::1") / tcp()), None
    yield frame(to_end() / ip4() / tcp(dport=81)), None
