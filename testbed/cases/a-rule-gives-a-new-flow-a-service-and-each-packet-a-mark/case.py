"""A rule that gives both: its service is a new flow's, so the flow's later packets go there too; its mark is only of the
packet that it matches, the first one, which a flag tells from the others (RFC 9293 §3.1)."""

from golden import frame, ip4, ipip, linked, remarked, tcp


def packets():
    packet = frame(ip4() / tcp(flags="S"))
    out = ipip(remarked(packet, 46), "10.0.0.21")
    yield packet, linked(out, {"insert_vlan": 7, "priority": 5})
    packet = frame(ip4() / tcp())
    yield packet, ipip(packet, "10.0.0.21")
