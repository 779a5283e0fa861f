"""First, last and some address of a /24; the neighbours on both sides are not ours."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    for last in (0, 1, 77, 255):
        packet = frame(ip4(dst=f"198.51.100.{last}") / tcp())
        yield packet, ipip(packet, REAL4)
    yield frame(ip4(dst="198.51.99.255") / tcp()), None
    yield frame(ip4(dst="198.51.101.0") / tcp()), None
