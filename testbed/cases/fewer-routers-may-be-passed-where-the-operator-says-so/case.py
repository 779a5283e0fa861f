"""passes_max = 2: the second of us gets it, and sends it on with half of the hop limit; the third drops it. 33 of 65 is a half."""

from golden import REAL4, frame, ip4, ipip, tcp, to_end


def packets():
    inner = ip4() / tcp()
    yield frame(to_end(ttl=65) / inner), ipip(frame(inner), REAL4, hop_limit=32)
    yield frame(to_end(ttl=33) / inner), None
