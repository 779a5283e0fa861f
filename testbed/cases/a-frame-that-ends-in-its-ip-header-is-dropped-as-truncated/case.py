"""RFC 791 §3.1, RFC 8200 §3: nothing behind the ethertype, or not the whole fixed header."""

from golden import cut, frame, ip4, ip6, tcp


def packets():
    for size in (14, 15, 33):
        yield cut(frame(ip4() / tcp()), size), None
    for size in (14, 15, 53):
        yield cut(frame(ip6() / tcp()), size), None
