"""The tags stay on what is inside, and so on what leaves; padding of the link goes."""

from golden import REAL4, frame, ip4, ipip, padded, tcp, to_end


def packets():
    inner, tags = ip4() / tcp(), ((0x88A8, 0x6007), (0x8100, 5))
    yield frame(to_end() / inner, tags), ipip(frame(inner, tags), REAL4, hop_limit=48)
    yield padded(frame(to_end() / inner), 90), ipip(frame(inner), REAL4, hop_limit=48)
