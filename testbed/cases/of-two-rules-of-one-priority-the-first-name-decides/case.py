"""Equal priorities: names decide, so that the order in the file never does."""

from golden import frame, ip4, ipip, tcp

API = "10.0.0.21"


def packets():
    packet = frame(ip4() / tcp())
    yield packet, ipip(packet, API)
