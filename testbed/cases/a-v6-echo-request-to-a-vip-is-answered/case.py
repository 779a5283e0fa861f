"""RFC 4443 §4.2: type 129, the checksum over the pseudo header of the answer."""

from golden import echo6, echo_answer, frame


def packets():
    request = frame(echo6())
    yield request, echo_answer(request)
