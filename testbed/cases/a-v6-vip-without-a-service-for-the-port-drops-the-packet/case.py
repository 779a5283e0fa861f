"""The same for IPv6."""

from golden import chained, frame, ip6, tcp, udp


def packets():
    yield frame(ip6() / tcp(dport=81)), None
    yield frame(chained([60], ip6() / udp(dport=80) / b"x")), None
