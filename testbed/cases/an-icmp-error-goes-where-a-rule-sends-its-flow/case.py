"""An error about a flow that is not in the table goes where the flow's first packet would, by rule too; about one that
a rule drops, nowhere; about one that is in the table, to its real.
"""

from golden import error4, flow_of, frame, ip4, ipip, reply, tcp

API = "10.0.0.21"


def packets():
    sent = frame(ip4() / tcp())
    error = frame(error4(3, reply(sent), code=4))
    yield error, ipip(error, API, flow=flow_of(sent))
    yield sent, ipip(sent, API)
    yield error, ipip(error, API, flow=flow_of(sent))
    dropped = frame(ip4(src="203.0.113.8") / tcp())
    yield frame(error4(3, reply(dropped), code=4)), None
