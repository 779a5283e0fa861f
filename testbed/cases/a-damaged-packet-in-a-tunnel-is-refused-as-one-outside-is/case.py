"""Its header checksum, its version, a length beyond the tunnel's end, and nothing at all."""

from golden import GRE, UDP, frame, ip4, patched, tcp, to_end


def packets():
    inner = bytes(ip4() / tcp())
    yield frame(to_end(proto=4) / patched(inner, 10, b"\0\0")), None
    yield frame(to_end(proto=41) / inner), None
    yield frame(to_end(proto=4) / inner[:-1]), None
    yield frame(to_end(proto=4)), None
    yield frame(to_end() / GRE(proto=0x0806) / inner), None
    yield frame(to_end() / GRE(proto=0x0800)), None
    yield frame(to_end() / GRE(proto=0x6558) / inner), None
