"""Echo answers nobody asked for, source quench, redirects, router messages, timestamps, address masks."""

from golden import frame, icmp4


def packets():
    for kind in (0, 4, 5, 9, 10, 13, 14, 17):
        yield frame(icmp4(kind, bytes(28))), None
