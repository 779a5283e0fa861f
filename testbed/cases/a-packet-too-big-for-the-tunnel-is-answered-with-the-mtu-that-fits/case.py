"""RFC 1191 §4: fragmentation needed, from the VIP, with the tunnel's MTU less the outer header. The packet is
dropped, and the answer is made: rx + made = tx + drops + punts. It keeps the VLAN and quotes 548 bytes."""

from golden import frame, ip4, padded, tcp, too_big


def packets():
    sent = frame(ip4() / tcp() / bytes(1441))
    yield sent, too_big(sent, 1480)
    sent = padded(frame(ip4(tos=0xB9) / tcp(flags="S") / (bytes(range(256)) * 6), ((0x8100, 5),)), 1700)
    yield sent, too_big(sent, 1480)
