"""Each layer ends here. The least of their TTLs is what the packet came with."""

from golden import GRE, REAL4, frame, ip4, ipip, nested, tcp, to_end


def packets():
    inner = ip4() / tcp()
    yield frame(nested([to_end(), to_end(ttl=40)], inner)), ipip(frame(inner), REAL4, hop_limit=24)
    yield frame(nested([to_end(), to_end() / GRE(), to_end(), to_end()], inner)), ipip(frame(inner), REAL4, hop_limit=48)
    yield frame(nested([to_end()] * 5, inner)), None
    yield frame(nested([to_end()] * 40, inner)), None
    yield frame(nested([to_end(), to_end(src="203.0.113.1")], inner)), None
