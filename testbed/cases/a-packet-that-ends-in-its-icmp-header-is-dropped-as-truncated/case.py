"""Fewer than eight bytes (RFC 792, RFC 4443 §2.1)."""

from golden import echo4, echo6, frame, ip4, ip6


def packets():
    for size in (0, 4, 7):
        yield frame(ip4(proto=1) / bytes(echo4().payload)[:size]), None
        yield frame(ip6(nh=58) / bytes(echo6().payload)[:size]), None
