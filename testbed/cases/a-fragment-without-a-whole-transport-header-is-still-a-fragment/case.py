"""Its first bytes are not ports, so nothing is read there, however short it is."""

from golden import frame, ip4


def packets():
    yield frame(ip4(flags=0, frag=100, proto=6) / b"end"), None
    yield frame(ip4(flags="MF", proto=17) / bytes(range(8))), None
