"""Appendix B.2 and the example of §5.4.2.4 (draft-ietf-quic-load-balancers-21): four passes, three of which suffice where
the nonce is not the shorter part, and one block of 16 bytes. The last of B.2 has the first octet that its
configuration gives it."""

from golden import frame, ip4, ipip, long, short, udp


VECTORS = [
    ("0720b1d07b359d3c", "10.0.0.11", 443),
    ("2fcc381bc74cb4fbad2823a3d1f8fed2", "10.0.0.12", 443),
    ("504dd2d05a7b0de9b2b9907afb5ecf8cc3", "10.0.0.13", 443),
    ("725779c9cc86beb3a3a4a3ca96fce4bfe0cdbc", "10.0.0.11", 443),
    ("0767947d29be054a", "10.0.0.12", 8443),
]


def packets():
    for text, real, port in VECTORS:
        for make in (long, short):
            packet = frame(ip4() / udp(dport=port) / make(bytes.fromhex(text)))
            yield packet, ipip(packet, real)
