"""A /32, a /48, a /64 and a /128."""

from golden import frame, ip6, ipip, tcp


def packets():
    for dst, real in (("2001:db8:1:2::3", 4), ("2001:db8:1:2::4", 3), ("2001:db8:1:3::3", 2), ("2001:db8:2:2::3", 1)):
        packet = frame(ip6(dst=dst) / tcp())
        yield packet, ipip(packet, f"192.168.0.{real}")
    yield frame(ip6(dst="2001:db9::3") / tcp()), None
