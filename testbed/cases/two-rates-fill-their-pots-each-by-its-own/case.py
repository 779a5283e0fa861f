"""RFC 2698 §3: T_p grows PIR times a second, T_c CIR times. 125 and 250 bytes a tick."""

from golden import REAL4, frame, ip4, ipip, remarked, tcp


def packets():
    def sent(size):
        return frame(ip4() / tcp() / bytes(size - 40))

    yield sent(250), ipip(sent(250), REAL4), 0.0
    yield sent(250), ipip(remarked(sent(250), 12), REAL4), 0.0
    yield sent(40), None, 0.0
    yield sent(126), ipip(remarked(sent(126), 12), REAL4), 0.125
    yield sent(125), None, 0.125
    yield sent(124), ipip(sent(124), REAL4), 0.125
    yield sent(126), ipip(sent(126), REAL4), 0.25
    yield sent(124), ipip(remarked(sent(124), 12), REAL4), 0.25
