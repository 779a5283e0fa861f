"""RFC 894, RFC 2464: each version has its ethertype."""

from golden import frame, ip4, ip6, tcp


def packets():
    yield frame(ip6() / tcp(), ethertype=0x0800), None
    yield frame(ip4() / tcp() / bytes(40), ethertype=0x86DD), None
    yield frame(ip4(version=0) / tcp()), None
    yield frame(ip4(version=5) / tcp()), None
    yield frame(ip6(version=15) / tcp()), None
