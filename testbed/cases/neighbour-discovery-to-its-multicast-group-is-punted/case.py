"""A solicitation for the VIP goes to a solicited-node group (RFC 4291 §2.7.1), which is no VIP."""

from golden import frame, icmp6


def packets():
    yield frame(icmp6(135, bytes(20), hlim=255, dst="ff02::1:ff00:10")), None
