"""RFC 2697 §3: "If Tc is less than CBS, Tc is incremented by one, else if Te is less then EBS, Te is incremented by one".
250 bytes a tick: where T_c lacks 200 of them, T_e gets 50."""

from golden import REAL4, frame, ip4, ipip, remarked, tcp


def packets():
    def sent(size):
        return frame(ip4() / tcp() / bytes(size - 40))

    yield sent(200), ipip(sent(200), REAL4), 0.0
    yield sent(200), None, 0.0
    yield sent(101), None, 0.0
    yield sent(100), ipip(sent(100), REAL4), 0.0
    yield sent(100), ipip(remarked(sent(100), 12), REAL4), 0.0
    yield sent(60), None, 0.0
    yield sent(251), None, 0.125
    yield sent(250), ipip(sent(250), REAL4), 0.125
    yield sent(150), ipip(sent(150), REAL4), 0.25
    yield sent(300), ipip(sent(300), REAL4), 0.375
    yield sent(51), None, 0.375
    yield sent(50), ipip(remarked(sent(50), 12), REAL4), 0.375
