"""What a rule gives a flow is a service, with all that it asks for: its mark and its limit are the flow's, whatever VIP and
port it came to."""

from golden import REAL4, frame, ip4, ipip, linked, remarked, tcp


def packets():
    packet = frame(ip4() / tcp())
    for _ in range(2):
        yield packet, linked(ipip(remarked(packet, 46), REAL4), {"insert_vlan": 7})
    yield packet, None
    packet = frame(ip4(src="192.0.2.99") / tcp())
    yield packet, ipip(packet, REAL4)
