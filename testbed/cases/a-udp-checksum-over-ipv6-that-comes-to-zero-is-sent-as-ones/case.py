"""RFC 8200 §8.1, RFC 768: zero would say that there is none. The payload's last word makes the sum of everything ffff."""

from golden import frame, Inner, ip4, REAL6, tcp, tunnelled


def packets():
    def sent(word):
        return frame(ip4() / tcp(chksum=0) / word)

    left = tunnelled(sent(b"\0\0"), REAL6, Inner("gue"))[60:62]
    out = tunnelled(sent(left), REAL6, Inner("gue"))
    assert out[60:62] == b"\xff\xff"
    yield sent(left), out
