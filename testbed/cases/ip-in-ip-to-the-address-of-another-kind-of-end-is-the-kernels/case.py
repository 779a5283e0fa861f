"""A host may end some tunnels in its kernel and others here."""

from golden import GRE, REAL4, frame, ip4, ipip, tcp, to_end


def packets():
    inner = ip4() / tcp()
    yield frame(to_end() / inner), None
    yield frame(to_end() / GRE() / inner), ipip(frame(inner), REAL4, hop_limit=48)
