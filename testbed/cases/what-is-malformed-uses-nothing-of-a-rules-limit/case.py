"""A packet is known to be sound, from somebody, and for a service before any rule meters it: what is not leaves the pots
full, and so does an echo, which goes to no real."""

from golden import REAL4, cut, echo4, echo_answer, frame, ip4, ipip, patched, tcp


def packets():
    packet = frame(ip4() / tcp())
    yield patched(packet, 24, b"\0\0"), None
    yield patched(packet, 46, b"\x40"), None
    yield cut(packet, 40), None
    yield frame(ip4(src="127.0.0.1") / tcp()), None
    yield frame(ip4() / tcp(dport=81)), None
    echo = frame(echo4())
    yield echo, echo_answer(echo)
    yield packet, ipip(packet, REAL4)
    yield packet, None
