"""Its sender learns the path's MTU as that of any packet does, and quotes its own SPI back to itself (RFC 4301 §8.2)."""

from golden import esp, frame, ip4, too_big


def packets():
    sent = frame(ip4(proto=50) / esp(data=bytes(1453)))
    yield sent, too_big(sent, 1480)
