"""ICMPv6 in IPv4 and ICMP in IPv6 do not exist: neither echo is answered."""

from golden import echo4, echo6, frame, ip4, ip6


def packets():
    yield frame(ip4(proto=58) / bytes(echo6().payload)), None
    yield frame(ip6(nh=1) / bytes(echo4().payload)), None
