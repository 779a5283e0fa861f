"""Nothing is put into the flow table, and the tunnel's MTU does not bound the answer."""

from golden import echo4, echo_answer, frame


def packets():
    for size in (8, 1472):
        request = frame(echo4(bytes(size)))
        yield request, echo_answer(request)
