"""RFC 2698 §3: 40 bytes are green, as many more yellow, and what is above the peak red. They go to the real, each with its
colour's code point."""

from golden import REAL4, frame, ip4, ipip, remarked, tcp


def packets():
    packet = frame(ip4() / tcp())
    for dscp in (None, 12, 14, 14):
        yield packet, ipip(remarked(packet, dscp), REAL4)
