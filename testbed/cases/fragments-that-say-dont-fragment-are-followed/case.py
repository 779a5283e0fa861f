"""Some hosts set it on fragments (RFC 6864 §4.1 allows it); the outer header inherits it as of any packet."""

from golden import REAL4, followed, ip4, pieces4, udp


def packets():
    for piece in pieces4(ip4(flags="DF") / udp() / bytes(64), 24, 48):
        yield piece, followed(piece, REAL4)
