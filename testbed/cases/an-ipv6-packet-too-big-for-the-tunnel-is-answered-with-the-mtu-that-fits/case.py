"""RFC 4443 §3.2: packet too big, from the VIP, with the tunnel's MTU less the outer header, quoting 1232 bytes."""

from golden import frame, ip6, tcp, too_big


def packets():
    sent = frame(ip6(tc=0x2E, fl=7) / tcp() / bytes(1401))
    yield sent, too_big(sent, 1460)
    sent = frame(ip6() / tcp() / bytes(3000), ((0x88A8, 7), (0x8100, 5)))
    yield sent, too_big(sent, 1460)
