"""RFC 8201 §4: no sender goes below 1280 bytes, so one whose packet is no larger is told nothing; RFC 8200 §5."""

from golden import frame, ip6, ipip, tcp, too_big, REAL6


def packets():
    sent = frame(ip6() / tcp() / bytes(1230))
    yield sent, too_big(sent, 1280)
    yield frame(ip6() / tcp() / bytes(1220)), None
    sent = frame(ip6() / tcp() / bytes(1180))
    yield sent, ipip(sent, REAL6)
