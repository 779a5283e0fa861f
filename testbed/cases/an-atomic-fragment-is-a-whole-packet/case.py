"""RFC 6946, RFC 8200 §4.5: offset 0 and nothing more to come. It waits for nobody, and nobody's fragments hurt it."""

from golden import REAL4, chained, followed, frame, ip6, ipip, part6, udp


def packets():
    whole = frame(chained([44], ip6() / udp() / bytes(16)))
    yield whole, ipip(whole, REAL4)
    behind = frame(chained([0, 44, 60], ip6() / udp() / bytes(16)))
    yield behind, ipip(behind, REAL4)
    first = part6(ip6() / udp(), 0, bytes(ip6() / udp(len=40))[40:] + bytes(16), True, identification=0)
    yield first, followed(first, REAL4)
    yield whole, ipip(whole, REAL4)
