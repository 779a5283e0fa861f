"""A real that names its next hop is reached there, another by the tunnel's."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    first = frame(ip4() / tcp(dport=80))
    yield first, ipip(first, REAL4, next_hop="02:00:00:00:00:aa")
    second = frame(ip4() / tcp(dport=81))
    yield second, ipip(second, "10.0.0.12")
