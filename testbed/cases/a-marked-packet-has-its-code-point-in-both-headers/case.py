"""A marked packet has another code point and the same ECN (RFC 2474 §3, RFC 3168 §5); the outer header copies it."""

from golden import IPOption, REAL4, REAL6, frame, ip4, ip6, ipip, remarked, tcp


def packets():
    for tos in (0x00, 0x03, 0xB9, 0xFE):
        for dport, real in ((80, REAL4), (81, REAL6)):
            packet = frame(ip4(tos=tos, options=[IPOption(b"\x94\x04\x00\x00")]) / tcp(dport=dport))
            yield packet, ipip(remarked(packet, 46), real)
            packet = frame(ip6(tc=tos, fl=0xABCDE) / tcp(dport=dport))
            yield packet, ipip(remarked(packet, 46), real)
