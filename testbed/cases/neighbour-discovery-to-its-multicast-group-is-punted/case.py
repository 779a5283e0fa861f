"""A solicited-node group (RFC 4291 §2.7.1) is many addresses'; who asks it for another than the VIP asks the kernel."""

from golden import frame, icmp6


def packets():
    yield frame(icmp6(135, bytes(20), hlim=255, dst="ff02::1:ff00:10")), None
