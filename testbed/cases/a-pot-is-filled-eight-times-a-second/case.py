"""16,000 bits a second are 250 bytes a tick (an eighth of a second): not a byte before it, and not a byte more. What a pot
does not hold is lost."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    def sent(size):
        return frame(ip4() / tcp() / bytes(size - 40))

    yield sent(500), ipip(sent(500), REAL4), 0.0
    yield sent(250), None, 0.124
    yield sent(251), None, 0.125
    yield sent(250), ipip(sent(250), REAL4), 0.125
    yield sent(40), None, 0.249
    yield sent(500), None, 0.374
    yield sent(500), ipip(sent(500), REAL4), 9.0
    yield sent(40), None, 9.0
