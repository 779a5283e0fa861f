"""priority: the larger one is asked first, wherever the rules stand in the file and however narrow they are."""

from golden import frame, ip4, ipip, tcp

API = "10.0.0.21"


def packets():
    for client, real in (("203.0.113.7", API), ("203.0.113.8", None)):
        packet = frame(ip4(src=client) / tcp())
        yield packet, real and ipip(packet, real)
