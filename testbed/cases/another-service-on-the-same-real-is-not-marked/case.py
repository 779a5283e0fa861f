"""What a service asks for is its own, though its reals are shared."""

from golden import REAL4, VIP6, frame, ip4, ip6, ipip, linked, padded, remarked, tcp


def packets():
    packet = frame(ip4() / tcp())
    yield packet, linked(ipip(remarked(packet, 46), REAL4), {"insert_vlan": 7})
    packet = frame(ip4() / tcp(dport=81))
    yield packet, ipip(packet, REAL4)
    packet = padded(frame(ip6(dst=VIP6) / tcp()))
    yield packet, None
