"""A limit is its rule's: two clients and two services drink from the same pots (RFC 2697 §3), 40 and 28 bytes at a time of
120. What is red has the limit's code point, and whom the rule does not match no limit."""

from golden import REAL4, frame, ip4, ipip, remarked, tcp, udp


def packets():
    for packet in (frame(ip4() / tcp()), frame(ip4(src="203.0.113.8") / tcp()), frame(ip4() / udp())):
        yield packet, ipip(packet, REAL4)
    # Twelve bytes are left.
    for packet in (frame(ip4(src="203.0.113.8") / udp()), frame(ip4() / tcp())):
        yield packet, ipip(remarked(packet, 14), REAL4)
    packet = frame(ip4(src="192.0.2.99") / tcp())
    yield packet, ipip(packet, REAL4)
