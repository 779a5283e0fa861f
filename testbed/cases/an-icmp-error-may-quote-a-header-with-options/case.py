"""The quoted ports stand after the quoted options; 4 + 24 + 8 bytes are quoted."""

from golden import IPOption, REAL4, error4, flow_of, frame, ip4, ipip, reply, tcp


def packets():
    packet = frame(ip4() / tcp())
    yield packet, ipip(packet, REAL4)
    error = frame(error4(3, reply(packet, options=[IPOption(b"\x94\x04\0\0")]), code=4, size=32))
    yield error, ipip(error, REAL4, flow=flow_of(packet))
