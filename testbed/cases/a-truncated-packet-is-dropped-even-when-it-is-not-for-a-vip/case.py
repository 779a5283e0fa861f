"""Headers are looked at before addresses: the kernel is not handed what cannot be read."""

from golden import cut, frame, ip4, ip6, tcp


def packets():
    yield cut(frame(ip4(dst="192.0.2.1") / tcp()), -1), None
    yield frame(ip6(dst="2001:db8::1", nh=17) / bytes(7)), None
