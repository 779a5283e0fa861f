"""RFC 1122 §3.2.2: no ICMP error is sent about a fragment of IPv4 that is not the first, whatever it says of being cut.
IPv6 has no such rule, and its sender has nobody else to learn the MTU from (RFC 4443 §2.4 (e))."""

from golden import REAL4, followed, ip4, ip6, pieces4, pieces6, too_big, udp


def packets():
    first, last = pieces4(ip4(flags="DF") / udp() / bytes(2000), 512)
    yield first, followed(first, REAL4)
    yield last, None
    first, last = pieces4(ip4(flags="DF", id=2) / udp() / bytes(2000), 1472)
    yield first, too_big(first, 1480)
    yield last, followed(last, REAL4)
    first, last = pieces6(ip6() / udp() / bytes(2000), 512)
    yield first, followed(first, REAL4)
    yield last, too_big(last, 1480)
