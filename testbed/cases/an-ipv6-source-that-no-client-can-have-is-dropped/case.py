"""RFC 4291 §2.5.2, §2.5.3, §2.7: unspecified, loopback, multicast."""

from golden import REAL6, frame, ip6, ipip, tcp


def packets():
    for src in ("::", "::1", "ff02::1", "ff0e::1234"):
        yield frame(ip6(src=src) / tcp()), None
    for src in ("::2", "fe80::1", "feff::1", "1::"):
        packet = frame(ip6(src=src) / tcp())
        yield packet, ipip(packet, REAL6)
