"""RFC 1122 §3.2.2.6: options and type of service go back as they came; so do identification and Don't Fragment."""

from golden import IPOption, echo4, echo_answer, frame


def packets():
    for flags in ("DF", 0):
        request = frame(echo4(tos=0xB8, id=0xBEEF, flags=flags, options=[IPOption(b"\x94\x04\0\0")]))
        yield request, echo_answer(request)
