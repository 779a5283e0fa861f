"""RFC 1122 §3.3.6: a packet for one host that came in a frame for many is discarded; else each of us would answer."""

from golden import echo4, frame, ip4, tcp

BROADCAST, MULTICAST = b"\xff" * 6, bytes.fromhex("01005e000001")


def packets():
    yield BROADCAST + frame(echo4())[6:], None
    yield MULTICAST + frame(ip4() / tcp())[6:], None
    yield BROADCAST + frame(ip4(dst="192.0.2.1") / tcp())[6:], None
