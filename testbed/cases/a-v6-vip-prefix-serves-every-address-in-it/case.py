"""First, last and some address of a /64; the neighbours are not ours."""

from golden import REAL6, frame, ip6, ipip, tcp


def packets():
    for dst in ("2001:db8:100::", "2001:db8:100::77", "2001:db8:100:0:ffff:ffff:ffff:ffff"):
        packet = frame(ip6(dst=dst) / tcp())
        yield packet, ipip(packet, REAL6)
    yield frame(ip6(dst="2001:db8:ff:ffff:ffff:ffff:ffff:ffff") / tcp()), None
    yield frame(ip6(dst="2001:db8:100:1::") / tcp()), None
