"""The same for IPv6: 40 bytes of header and no ports."""

from golden import error6, frame, ip6, reply, tcp


def packets():
    packet = frame(ip6() / tcp())
    for size in (0, 20, 40, 43):
        yield frame(error6(1, reply(packet), size=size)), None
