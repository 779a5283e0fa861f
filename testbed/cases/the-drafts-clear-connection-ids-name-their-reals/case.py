"""QUIC-LB (draft-ietf-quic-load-balancers-21), appendix B.1: with long headers and short ones, from one client's port
to another. The second is as its parts make it; the draft prints it shifted by four bits."""

from golden import frame, ip4, ipip, long, short, udp


VECTORS = [("07c4605e4504cc4f", "10.0.0.11"), ("2a350d28b4203487d9700b", "10.0.0.12")]


def packets():
    for text, real in VECTORS:
        for make in (long, short):
            packet = frame(ip4() / udp(dport=443) / make(bytes.fromhex(text)))
            yield packet, ipip(packet, real)
