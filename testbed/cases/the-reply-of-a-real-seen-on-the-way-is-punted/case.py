"""Direct server return by-passes us; what we see of it anyway has the client as destination."""

from golden import REAL4, frame, ip4, ipip, reply, tcp


def packets():
    packet = frame(ip4() / tcp(flags="S"))
    yield packet, ipip(packet, REAL4)
    yield frame(reply(packet)), None
