"""Connection ids are read of UDP alone: segments go by their flow and count as no QUIC."""

from golden import frame, ip4, ipip, tcp

API = "10.0.0.21"


def packets():
    for _ in range(3):
        packet = frame(ip4() / tcp(dport=9000))
        yield packet, ipip(packet, API)
