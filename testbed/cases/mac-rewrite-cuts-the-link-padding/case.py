"""The IP total length says where the packet ends (RFC 894); what follows was only there for the wire."""

from golden import frame, ip4, mac_rewrite, padded, tcp


def packets():
    packet = padded(frame(ip4() / tcp()), 60, b"\xaa")
    yield packet, mac_rewrite(packet, "02:00:00:00:00:11")
