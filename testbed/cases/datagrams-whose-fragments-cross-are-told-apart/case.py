"""By source, destination, protocol and identification (RFC 791 §3.2); of IPv6 by source, destination and identification
(RFC 8200 §4.5). A fragment that only shares some of these waits for another first."""

from golden import REAL4, VIP4, CLIENT4, followed, ip4, ip6, pieces4, pieces6, tcp, udp


def packets():
    sent = [
        pieces4(ip4(flags=0, id=5) / udp() / bytes(40), 24),
        pieces4(ip4(flags=0, id=6) / udp() / bytes(40), 24),
        pieces4(ip4(flags=0, id=5) / tcp() / bytes(40), 24),
        pieces4(ip4(flags=0, id=5, src="203.0.113.8") / udp() / bytes(40), 24),
        pieces6(ip6() / udp() / bytes(40), 24, identification=5),
        pieces6(ip6() / udp() / bytes(40), 24, identification=5 << 16),
    ]
    for at, (first, _) in enumerate(sent):
        yield first, followed(first, REAL4, at)
    for at, (_, last) in enumerate(sent):
        yield last, followed(last, REAL4, 4 + at)
