"""RFC 768: what stands behind the datagram is not the packet's, and what the datagram promises has to be there."""

from golden import REAL4, UDP, frame, ip4, ipip, tcp, to_end


def packets():
    inner = ip4() / tcp() / b"twenty bytes of data"
    size = len(inner)
    right = UDP(sport=50000, dport=5555, len=8 + size, chksum=0)
    yield frame(to_end() / right / (bytes(inner) + b"behind")), ipip(frame(inner), REAL4, hop_limit=48)
    for length in (8 + size - 1, 8 + 20, 8, 7, 0, 8 + size + 1, 65535):
        yield frame(to_end() / UDP(sport=50000, dport=5555, len=length, chksum=0) / inner), None
