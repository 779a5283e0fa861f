"""Whatever the services on it are."""

from golden import echo4, echo_answer, frame


def packets():
    for last in (0, 200):
        request = frame(echo4(dst=f"198.51.100.{last}"))
        yield request, echo_answer(request)
    yield frame(echo4(dst="198.51.101.1")), None
