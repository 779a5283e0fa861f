"""RFC 3032 §2.1: more than four labels, none with the bottom bit, one with a meaning of its own, no IP behind it, or
none of it: as it came, to the kernel."""

from golden import MPLS, cut, frame, ip4, labelled, patched, tcp


def packets():
    packet = frame(ip4() / tcp())
    whole = labelled(packet, MPLS(label=16, ttl=64))
    yield labelled(packet, *[MPLS(label=label, ttl=64) for label in range(16, 21)]), None
    for meaning in (1, 3, 7, 13, 14, 15):
        yield labelled(packet, MPLS(label=16, ttl=64), MPLS(label=meaning, ttl=64)), None
    yield patched(whole, 16, b"\x00"), None
    for size in (14, 17, 18, 37):
        yield cut(whole, size), None
    yield patched(whole, 18, b"\x05"), None
    yield labelled(frame(bytes(46), ethertype=0x0800), MPLS(label=16, ttl=64)), None
