"""source and destination may be lists: any pair of one family matches."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    for client, vip, real in (("203.0.113.7", "198.51.100.11", None), ("192.0.2.9", "198.51.100.12", None),
                              ("192.0.2.9", "198.51.100.10", REAL4), ("192.0.2.10", "198.51.100.11", REAL4)):
        packet = frame(ip4(src=client, dst=vip) / tcp())
        yield packet, real and ipip(packet, real)
