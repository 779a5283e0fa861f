"""RFC 2698 §3.2, colour-blind: the peak's pot of 301 bytes is of all packets, the committed one's of 200 of green ones."""

from golden import REAL4, frame, ip4, ipip, remarked, tcp


def packets():
    def sent(size):
        return frame(ip4() / tcp() / bytes(size - 40))

    yield sent(150), ipip(sent(150), REAL4)
    yield sent(51), ipip(remarked(sent(51), 12), REAL4)
    yield sent(101), None
    yield sent(50), ipip(sent(50), REAL4)
    yield sent(51), None
    yield sent(50), ipip(remarked(sent(50), 12), REAL4)
    yield sent(40), None
