"""The padding is outside the IP length: a TCP header is not completed from it."""

from golden import frame, ip4, ip6, padded, tcp


def packets():
    yield padded(frame(ip4(proto=6) / bytes(ip4() / tcp())[20:36])), None
    yield padded(frame(ip6(nh=17) / bytes(4)), 80), None
