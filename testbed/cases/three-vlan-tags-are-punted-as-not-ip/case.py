"""Two tags are looked through, a third is not: whatever it carries is the kernel's to understand."""

from golden import frame, ip4, tcp


def packets():
    yield frame(ip4() / tcp(), tags=((0x88A8, 1), (0x8100, 2), (0x8100, 3))), None
