"""Fewer than eight bytes (RFC 768)."""

from golden import frame, ip4, ip6, udp


def packets():
    head = bytes(ip4() / udp())[20:]
    for size in (0, 4, 7):
        yield frame(ip4(proto=17) / head[:size]), None
        yield frame(ip6(nh=17) / head[:size]), None
