"""RFC 1122 §3.2.2: no ICMP error about an ICMP error."""

from golden import error4, frame, ip4, ipip, reply, tcp, REAL4


def packets():
    opens = frame(ip4() / tcp(flags="S"))
    yield opens, ipip(opens, REAL4)
    whole = bytes(reply(opens)) + bytes(1500)
    yield frame(error4(3, whole, size=1500)), None
