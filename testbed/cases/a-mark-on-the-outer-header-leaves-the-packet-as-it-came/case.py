"""dscp_on = "outer": the tunnel's class is ours, the packet's own its sender's."""

from golden import REAL4, frame, ip4, ip6, ipip, remarked, tcp


def packets():
    for packet in (frame(ip4(tos=0x05) / tcp()), frame(ip6(tc=0x05) / tcp())):
        inner = packet[14:]
        yield packet, ipip(remarked(packet, 46), REAL4)[:-len(inner)] + inner
