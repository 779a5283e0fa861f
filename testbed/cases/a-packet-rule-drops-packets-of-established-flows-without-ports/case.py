"""ESP, GRE and SCTP: what a packet rule drops is dropped whether or not its flow is known, and the rest goes on."""

from golden import REAL4, esp, frame, ip4, ipip


def packets():
    for protocol, payload in ((50, esp()), (47, bytes(12)), (132, bytes(12))):
        for dscp in (0, 8, 0, 8):
            packet = frame(ip4(proto=protocol, tos=dscp << 2) / payload)
            yield packet, None if dscp else ipip(packet, REAL4)
