"""The IP length leaves fewer than the twenty bytes of RFC 9293 §3.1, in both families."""

from golden import frame, ip4, ip6, tcp


def packets():
    head = bytes(ip4() / tcp())[20:]
    for size in (0, 4, 19):
        yield frame(ip4(proto=6) / head[:size]), None
        yield frame(ip6(nh=6) / head[:size]), None
