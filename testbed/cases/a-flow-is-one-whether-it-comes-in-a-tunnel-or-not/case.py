"""Its second packet comes bare and its third in another tunnel; an error about it in a tunnel follows it."""

from golden import GRE, REAL4, error4, flow_of, frame, ip4, ipip, reply, tcp, to_end


def packets():
    inner = ip4() / tcp(flags="S")
    first = frame(inner)
    yield frame(to_end() / inner), ipip(first, REAL4, hop_limit=48)
    inner = ip4() / tcp()
    yield frame(inner), ipip(frame(inner), REAL4)
    yield frame(to_end() / GRE() / inner), ipip(frame(inner), REAL4, hop_limit=48)
    error = error4(3, reply(first), code=4, rest=b"\0\0\x05\0")
    yield frame(to_end() / GRE() / error), ipip(frame(error), REAL4, hop_limit=48, flow=flow_of(first))
