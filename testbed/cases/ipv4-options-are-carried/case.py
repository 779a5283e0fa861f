"""RFC 791 §3.1: the ports stand after the options; the outer header has none."""

from golden import IPOption, REAL4, frame, ip4, ipip, tcp


def packets():
    for options in ([IPOption(b"\x94\x04\0\0")], [IPOption(b"\x01" * 40)]):
        packet = frame(ip4(options=options) / tcp() / b"hello")
        yield packet, ipip(packet, REAL4)
