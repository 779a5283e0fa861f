"""GRE, ESP, AH, SCTP, mobility, HIP, and no next header (59) with and without data behind it."""

from golden import extension, frame, ip6


def packets():
    for following in (47, 50, 51, 132, 135, 139, 59):
        yield frame(ip6(nh=following) / (b"\1" * 32)), None
    yield frame(ip6(nh=59)), None
    yield frame(ip6(nh=60) / extension(60, 59)), None
