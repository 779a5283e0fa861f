"""Echo answers, multicast listener messages, node information, and types of the error range that are not assigned."""

from golden import frame, icmp6


def packets():
    for kind in (0, 5, 100, 129, 130, 131, 132, 139, 143):
        yield frame(icmp6(kind, bytes(28))), None
