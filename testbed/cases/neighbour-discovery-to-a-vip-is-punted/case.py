"""RFC 4861 §4: all five messages to the VIP itself, as in unreachability detection, are the kernel's."""

from golden import frame, icmp6


def packets():
    for kind in (133, 134, 135, 136, 137):
        yield frame(icmp6(kind, bytes(36), hlim=255)), None
