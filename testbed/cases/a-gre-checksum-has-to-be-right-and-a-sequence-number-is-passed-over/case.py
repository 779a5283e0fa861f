"""RFC 2784 §2.2: a checksum that is there is checked, over header and payload. RFC 2890 §2.2: the sequence number."""

from golden import GRE, REAL4, frame, ip4, ipip, patched, tcp, to_end


def packets():
    inner = ip4() / tcp() / b"odd"
    good = frame(to_end() / GRE(chksum_present=1) / inner)
    yield good, ipip(frame(inner), REAL4, hop_limit=48)
    yield patched(good, len(good) - 1, b"x"), None
    yield frame(to_end() / GRE(seqnum_present=1, seqence_number=7) / inner), ipip(frame(inner), REAL4, hop_limit=48)
