"""A packet is known to be sound before any rule is asked: each fault keeps its own counter though a rule drops
everything.
"""

from golden import cut, frame, ip4, patched, tcp


def packets():
    packet = frame(ip4() / tcp())
    yield patched(packet, 24, b"\0\0"), None
    yield patched(packet, 46, b"\x40"), None
    yield cut(packet, 40), None
    yield frame(ip4(src="127.0.0.1") / tcp()), None
    yield b"\xff" * 6 + packet[6:], None
    yield packet, None
