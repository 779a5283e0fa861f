"""What a rule of DSCP gave a flow of QUIC an error about it has not: it goes where the flow is."""

from golden import error4, flow_of, frame, ip4, ipip, reply, short, udp

API = "10.0.0.21"


def packets():
    sent = frame(ip4(tos=46 << 2) / udp(sport=40000, dport=4433) / short(bytes(8)))
    yield sent, ipip(sent, API)
    error = frame(error4(3, reply(sent), code=4))
    yield error, ipip(error, API, flow=flow_of(sent))
    yield sent, ipip(sent, API)
