"""A rule that gives a service is asked before anybody looks for one: the VIP's other ports are not lost."""

from golden import frame, ip4, ipip, tcp

API = "10.0.0.21"


def packets():
    packet = frame(ip4() / tcp(dport=9000))
    yield packet, ipip(packet, API)
    yield frame(ip4() / tcp(dport=9001)), None
