"""The outer frame keeps both tags; the inner one has none."""

from golden import frame, Inner, ip4, REAL4, tcp, tunnelled


def packets():
    packet = frame(ip4() / tcp() / b"tagged", ((0x88A8, 0x6007), (0x8100, 5)))
    out = tunnelled(packet, REAL4, Inner("vxlan", 16777215, mac="02:00:00:00:01:11"))
    assert out[12:20] == packet[12:20] and out[20:22] == b"\x08\0"
    yield packet, out
