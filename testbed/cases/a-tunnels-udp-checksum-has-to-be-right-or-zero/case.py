"""RFC 768; over IPv6 zero is taken too (RFC 6935 §5): who sends says what it protects."""

from golden import REAL4, UDP, frame, ip4, ipip, patched, tcp, to_end, to_end6


def packets():
    inner = ip4() / tcp() / b"odd"
    out = ipip(frame(inner), REAL4, hop_limit=48)
    for outer in (to_end(), to_end6()):
        good = frame(outer / UDP(sport=50000, dport=5555) / inner)
        yield good, out
        yield patched(good, len(good) - 1, b"x"), None
        yield frame(outer / UDP(sport=50000, dport=5555, chksum=0) / inner), out
