"""RFC 2003 §4.1 to §4.4, RFC 2473 §8.2: network, host, protocol and port unreachable, time exceeded, parameter problem."""

from golden import REAL4, REAL6, frame, ip4, ip6, ipip, tcp, tunnel_error, unreachable


def packets():
    for inner, port in ((ip4() / tcp(), 80), (ip6() / tcp(), 80)):
        came = frame(inner)
        sent = ipip(came, REAL4)
        yield came, sent
        for kind, code in ((3, 0), (3, 1), (3, 2), (3, 3), (3, 13), (11, 0), (12, 0)):
            yield tunnel_error(sent, kind, code), unreachable(came)
    came = frame(ip4() / tcp(dport=8080))
    sent = ipip(came, REAL6)
    yield came, sent
    for kind, code in ((1, 0), (1, 3), (3, 0), (4, 1)):
        yield tunnel_error(sent, kind, code), unreachable(came)
