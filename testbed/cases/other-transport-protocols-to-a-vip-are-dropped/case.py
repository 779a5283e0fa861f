"""IP in IP, IPv6, GRE, ESP, AH, OSPF, SCTP, UDP-Lite: not balanced yet, each is counted."""

from golden import frame, ip4


def packets():
    for proto in (4, 41, 47, 50, 51, 89, 132, 136):
        yield frame(ip4(proto=proto) / bytes(32)), None
