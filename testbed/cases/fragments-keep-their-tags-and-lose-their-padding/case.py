"""The last one is often shorter than the wire allows, and is padded there: the padding is no part of it."""

from golden import REAL4, followed, frame, ip4, padded, pieces4, udp


def packets():
    tag = b"\x81\x00\x00\x05"
    for at, piece in enumerate(pieces4(ip4(flags=0) / udp() / bytes(43), 24, 48)):
        tagged = padded(piece[:12] + tag + piece[12:], 64)
        plain = followed(padded(piece), REAL4, at)
        yield tagged, plain[:12] + tag + plain[12:]
