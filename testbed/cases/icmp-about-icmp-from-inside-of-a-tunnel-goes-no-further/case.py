"""RFC 1122 §3.2.2: no error is sent about an error. What our tunnel carried was one itself."""

from golden import REAL4, error4, flow_of, frame, ip4, ipip, reply, tcp, tunnel_error


def packets():
    came = frame(ip4() / tcp())
    yield came, ipip(came, REAL4)
    about = frame(error4(3, reply(came), 1))
    sent = ipip(about, REAL4, flow=flow_of(came))
    yield about, sent
    yield tunnel_error(sent, 3, 1), None
