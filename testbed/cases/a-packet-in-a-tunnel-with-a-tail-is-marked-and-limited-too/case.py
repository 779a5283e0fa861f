"""DSCP before the tunnel, whose UDP checksum is of the packet as it is marked (RFC 6935 §5); labels and tag in front of it."""

from golden import REAL4, REAL6, Inner, frame, ip4, ip6, linked, remarked, tcp, tunnelled


FULL = Inner("gue", None, None, None, "full")
VXLAN = Inner("vxlan", 7, None, "02:00:00:00:00:77", "auto")


def packets():
    for dport, real, inner in ((80, REAL4, FULL), (81, REAL6, VXLAN)):
        packet = frame(ip4() / tcp(dport=dport) / bytes(61))
        out = tunnelled(remarked(packet, 46), real, inner) if dport == 81 else None
        yield packet, out and linked(out, {"insert_vlan": 7, "push_labels": [16]})
        packet = frame(ip4() / tcp(dport=dport) / b"odd")
        out = tunnelled(remarked(packet, 46), real, inner)
        yield packet, linked(out, {"insert_vlan": 7, "push_labels": [16]})
        packet = frame(ip6() / tcp(dport=dport))
        yield packet, remarked(tunnelled(packet, real, inner), 46)
