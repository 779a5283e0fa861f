"""IP in IP, IPv6, GRE, ESP, AH, OSPF, SCTP, UDP-Lite: no service has them, each is counted."""

from golden import frame, ip4


def packets():
    for proto in (4, 41, 47, 50, 51, 89, 132, 136):
        yield frame(ip4(proto=proto) / (b"\1" * 32)), None
