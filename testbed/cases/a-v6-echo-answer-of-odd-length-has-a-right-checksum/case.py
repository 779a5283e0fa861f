"""The same for ICMPv6."""

from golden import echo6, echo_answer, frame


def packets():
    for size in (0, 1, 7, 1400):
        request = frame(echo6((bytes(range(1, 8)) * 200)[:size]))
        yield request, echo_answer(request)
