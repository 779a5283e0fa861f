"""drop = true: nothing from the prefix is forwarded or answered, and no flow of it is entered; all else is as it was."""

from golden import REAL4, echo4, echo_answer, frame, ip4, ipip, tcp


def packets():
    for client in ("203.0.113.128", "203.0.113.255"):
        yield frame(ip4(src=client) / tcp(flags="S")), None
        yield frame(echo4(src=client)), None
    packet = frame(ip4(src="203.0.113.127") / tcp(flags="S"))
    yield packet, ipip(packet, REAL4)
    packet = frame(echo4(src="203.0.113.127"))
    yield packet, echo_answer(packet)
