"""IEEE 802.3: up to 1500 the field is a length, so this is LLC (spanning tree), not an ethertype."""

from golden import frame, padded


def packets():
    yield padded(frame(b"\x42\x42\x03" + bytes(35), ethertype=38)), None
