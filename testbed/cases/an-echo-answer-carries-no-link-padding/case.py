"""The request's IP length says what is data; the answer is not padded again."""

from golden import echo4, echo_answer, frame, padded


def packets():
    request = padded(frame(echo4(b"ab")), 60, b"\xee")
    yield request, echo_answer(request)
