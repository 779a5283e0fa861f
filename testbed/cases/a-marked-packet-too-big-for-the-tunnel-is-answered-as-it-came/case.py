"""The answer quotes what was sent (RFC 1191 §4), not what it would have become. Labels and tags count for no MTU of IP."""

from golden import REAL4, frame, ip4, ipip, linked, remarked, tcp, too_big


def packets():
    packet = frame(ip4() / tcp() / bytes(1500 - 20 - 40))
    out = linked(ipip(remarked(packet, 46), REAL4), {"insert_vlan": 7, "push_labels": [16]})
    yield packet, out
    packet = frame(ip4() / tcp() / bytes(1500 - 20 - 40 + 1))
    yield packet, too_big(packet, 1480)
