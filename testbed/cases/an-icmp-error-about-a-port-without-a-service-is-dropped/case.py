"""The VIP is ours, the quoted port is nobody's."""

from golden import error4, frame, ip4, reply, tcp, udp


def packets():
    yield frame(error4(3, reply(frame(ip4() / tcp(dport=81))))), None
    yield frame(error4(3, reply(frame(ip4() / udp(dport=80) / b"x")))), None
