"""The IP packet ends inside the four bytes, inside the key that a bit promises, and inside the packet."""

from golden import frame, ip4, tcp, to_end


def packets():
    inner = bytes(ip4() / tcp())
    yield frame(to_end(proto=47) / b"\0\0\x08"), None
    yield frame(to_end(proto=47) / b"\x20\0\x08\0\0\0\0"), None
    yield frame(to_end(proto=47) / (b"\x20\0\x08\0\0\0\0\x2a" + inner[:-1])), None
