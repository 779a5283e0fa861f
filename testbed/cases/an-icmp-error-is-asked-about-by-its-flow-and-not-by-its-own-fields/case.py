"""A packet rule asks for what the packets of a flow do not have in common. An error about the flow is not one of them:
its DSCP is the router's that sent it.
"""

from golden import REAL4, error4, flow_of, frame, ip4, ipip, reply, tcp


def packets():
    sent = frame(ip4() / tcp())
    yield sent, ipip(sent, REAL4)
    error = frame(error4(3, reply(sent), code=4, tos=46 << 2))
    yield error, ipip(error, REAL4, flow=flow_of(sent))
    yield frame(ip4(tos=46 << 2) / tcp()), None
