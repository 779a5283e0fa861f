"""RFC 7348 §5: one of 49152 to 65535, by a hash of the inner flow; the same for every packet of a flow, another for
another flow."""

from golden import frame, Inner, ip4, REAL4, tcp, tunnelled


def packets():
    outs = []
    for sport in (40000, 40001, 40000, 40001):
        packet = frame(ip4() / tcp(sport))
        outs.append(tunnelled(packet, REAL4, Inner("gue")))
        yield packet, outs[-1]
    ports = [out[34:36] for out in outs]
    assert ports[:2] == ports[2:] and ports[0] != ports[1] and min(ports) >= b"\xc0\0"
