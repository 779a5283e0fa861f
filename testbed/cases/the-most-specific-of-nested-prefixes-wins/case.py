"""A /8, a /16, a /24 and a /32 around one address, in no order in the file."""

from golden import frame, ip4, ipip, tcp


def packets():
    for dst, real in (("10.20.30.40", 4), ("10.20.30.41", 3), ("10.20.31.40", 2), ("10.21.30.40", 1)):
        packet = frame(ip4(dst=dst) / tcp())
        yield packet, ipip(packet, f"192.168.0.{real}")
    yield frame(ip4(dst="11.20.30.40") / tcp()), None
