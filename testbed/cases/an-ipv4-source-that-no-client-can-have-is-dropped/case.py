"""RFC 1812 §5.3.7: this network, loopback, multicast, limited broadcast."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    for src in ("0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.254", "224.0.0.1", "239.255.255.255",
                "255.255.255.255"):
        yield frame(ip4(src=src) / tcp()), None
    for src in ("1.0.0.0", "126.255.255.255", "128.0.0.0", "223.255.255.255"):
        packet = frame(ip4(src=src) / tcp())
        yield packet, ipip(packet, REAL4)
