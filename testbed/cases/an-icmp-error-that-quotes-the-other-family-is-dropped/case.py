"""ICMP quotes IPv4 and ICMPv6 quotes IPv6; anything else was made up."""

from golden import error4, error6, frame, ip4, ip6, reply, tcp


def packets():
    packet4, packet6 = frame(ip4() / tcp()), frame(ip6() / tcp())
    yield frame(error4(3, reply(packet6), size=60)), None
    yield frame(error6(1, reply(packet4))), None
