"""The end is opened first; the tags of the frame stay."""

from golden import REAL4, error4, frame, ip4, ipip, tcp, to_end, unreachable


def packets():
    tags = ((0x8100, 5),)
    came = frame(ip4() / tcp(), tags)
    sent = ipip(came, REAL4)
    yield came, sent
    quote = sent[18:]
    yield frame(to_end() / error4(3, quote, 1, size=548, dst="192.0.2.1"), tags), unreachable(came)
