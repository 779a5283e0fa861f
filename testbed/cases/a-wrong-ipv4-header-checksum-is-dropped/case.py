"""RFC 1812 §5.2.2: over the options too, and wherever the packet goes."""

from golden import IPOption, frame, ip4, patched, tcp


def packets():
    yield frame(ip4(chksum=0xDEAD) / tcp()), None
    yield patched(frame(ip4() / tcp()), 22, b"\x38"), None
    yield patched(frame(ip4(options=[IPOption(b"\x94\x04\0\0")]) / tcp()), 36, b"\1"), None
    yield frame(ip4(dst="192.0.2.1", chksum=0xDEAD) / tcp()), None
