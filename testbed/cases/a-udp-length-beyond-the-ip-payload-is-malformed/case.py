"""The datagram would end outside the packet that carries it, be there padding or not."""

from golden import frame, ip4, ip6, padded, udp


def packets():
    yield frame(ip4() / udp(len=19) / b"a question"), None
    yield padded(frame(ip4() / udp(len=19) / b"a question")), None
    yield frame(ip6() / udp(len=65535) / b"a question"), None
