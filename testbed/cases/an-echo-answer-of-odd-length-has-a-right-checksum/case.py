"""RFC 1071 §4.1: an odd last byte counts as if a zero followed. No data at all is answered too."""

from golden import echo4, echo_answer, frame


def packets():
    for size in (0, 1, 7, 1400):
        request = frame(echo4((bytes(range(1, 8)) * 200)[:size]))
        yield request, echo_answer(request)
