"""A rule that names a network, networks inside of it and one of them twice, for source and destination alike: more pairs
than lists, if each were asked for.
"""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    yield frame(ip4() / tcp()), None
    other = frame(ip4(src="192.0.2.9") / tcp())
    yield other, ipip(other, REAL4)
