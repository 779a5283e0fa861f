"""RFC 792: addresses swapped, type 0, the data returned; the answer starts with hop limit 64."""

from golden import echo4, echo_answer, frame


def packets():
    request = frame(echo4())
    yield request, echo_answer(request)
