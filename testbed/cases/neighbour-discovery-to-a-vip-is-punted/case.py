"""RFC 4861 §4: what is no solicitation for the VIP is the kernel's, all five messages, though sent to the VIP itself."""

from golden import frame, icmp6


def packets():
    for kind in (133, 134, 135, 136, 137):
        yield frame(icmp6(kind, bytes(36), hlim=255)), None
