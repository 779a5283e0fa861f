"""All four pairs of families (RFC 2003, RFC 2473, RFC 4213). What was inside goes on as if it had come so, with a share less
of the TTL that the tunnel came with."""

from golden import REAL4, frame, ip4, ip6, ipip, tcp, to_end, to_end6


def packets():
    for outer in (to_end(), to_end6()):
        for inner in (ip4() / tcp() / b"one", ip6() / tcp() / b"other"):
            yield frame(outer / inner), ipip(frame(inner), REAL4, hop_limit=48)
