"""The error is about the flow, so it takes the flow's way: the same UDP source port."""

from golden import error4, flow_of, frame, Inner, ip4, REAL4, reply, tcp, tunnelled


def packets():
    opens = frame(ip4() / tcp(flags="S"))
    sent = tunnelled(opens, REAL4, Inner("gue"))
    yield opens, sent
    error = frame(error4(3, bytes(reply(opens))))
    out = tunnelled(error, REAL4, Inner("gue"), flow=flow_of(opens))
    assert out[34:38] == sent[34:38]
    yield error, out
