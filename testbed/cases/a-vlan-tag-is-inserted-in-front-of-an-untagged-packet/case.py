"""A customer tag with the mark's id, and its priority or none (IEEE 802.1Q §9.6); padding goes as ever."""

from golden import REAL4, frame, ip4, ip6, ipip, linked, padded, tcp


def packets():
    packet = padded(frame(ip4() / tcp()))
    yield packet, linked(ipip(packet, REAL4), {"insert_vlan": 7})
    packet = frame(ip4() / tcp(dport=81))
    yield packet, linked(ipip(packet, REAL4), {"insert_vlan": 4094, "priority": 6})
    packet = frame(ip6() / tcp())
    yield packet, linked(ipip(packet, REAL4), {"insert_vlan": 7})
