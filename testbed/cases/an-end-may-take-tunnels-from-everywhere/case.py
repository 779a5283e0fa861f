"""The word any stands where prefixes do."""

from golden import REAL4, frame, ip4, ipip, tcp, to_end


def packets():
    inner = ip4() / tcp()
    for source in ("203.0.113.99", "10.255.0.1"):
        yield frame(to_end(src=source) / inner), ipip(frame(inner), REAL4, hop_limit=48)
