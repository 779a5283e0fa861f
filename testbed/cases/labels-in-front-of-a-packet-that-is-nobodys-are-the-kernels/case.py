"""Labels are taken off packets to VIPs alone; a router's other labels are none of ours. Those of many receivers neither."""

from golden import MPLS, frame, ip4, ip6, labelled, patched, tcp


def packets():
    for packet in (frame(ip4(dst="203.0.113.99") / tcp()), frame(ip6() / tcp())):
        yield labelled(packet, MPLS(label=16, ttl=64)), None
    yield patched(labelled(frame(ip4() / tcp()), MPLS(label=16, ttl=64)), 12, b"\x88\x48"), None
