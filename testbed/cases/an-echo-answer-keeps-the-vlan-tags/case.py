"""It goes back on the VLAN that the request came by."""

from golden import echo4, echo_answer, frame


def packets():
    request = frame(echo4(), tags=((0x88A8, 7), (0x8100, 0xE064)))
    yield request, echo_answer(request)
