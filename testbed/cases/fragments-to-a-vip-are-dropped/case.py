"""First, middle and last (RFC 791 §2.3): not followed yet, each is counted."""

from golden import frame, ip4, tcp


def packets():
    body = bytes(ip4() / tcp() / bytes(40))[20:]
    yield frame(ip4(flags="MF", proto=6) / body[:24]), None
    yield frame(ip4(flags="MF", frag=3, proto=6) / body[24:48]), None
    yield frame(ip4(flags=0, frag=6, proto=6) / body[48:]), None
