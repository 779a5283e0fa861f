"""0x9100 was never a standard's; it is punted like any ethertype that is not IP."""

from golden import frame, ip4, tcp


def packets():
    yield frame(ip4() / tcp(), tags=((0x9100, 7),)), None
