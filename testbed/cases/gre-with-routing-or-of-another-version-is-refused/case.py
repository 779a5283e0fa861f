"""RFC 2784 §2.2: bits 1, 4 and 5, and a version that is not 0, are refused; bits 6 to 12 are not looked at."""

from golden import REAL4, frame, ip4, ipip, tcp, to_end


def packets():
    inner = ip4() / tcp()
    for bits in (b"\x40\0", b"\x08\0", b"\x04\0", b"\0\x01", b"\0\x07"):
        yield frame(to_end(proto=47) / (bits + b"\x08\0" + bytes(inner))), None
    yield frame(to_end(proto=47) / (b"\x03\xf8\x08\0" + bytes(inner))), ipip(frame(inner), REAL4, hop_limit=48)
