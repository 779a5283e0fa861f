"""The address is ours, so the kernel is not asked."""

from golden import frame, ip4, tcp, udp


def packets():
    yield frame(ip4() / tcp(dport=81)), None
    yield frame(ip4() / udp(dport=80) / b"x"), None
