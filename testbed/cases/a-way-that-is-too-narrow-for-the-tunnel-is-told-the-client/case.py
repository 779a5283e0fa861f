"""RFC 2003 §4.1, RFC 2473 §8.1: fragmentation needed and packet too big about our outer packet become the VIP's word to the
client, less the outer header, in the client's own family. IPv6 is told no less than 1,280."""

from golden import REAL4, REAL6, frame, ip4, ip6, ipip, tcp, too_big, tunnel_error


def packets():
    four, six = {"rest": b"\0\0" + (1400).to_bytes(2, "big")}, {"rest": (1400).to_bytes(4, "big")}
    for port, real, outer in ((80, REAL4, 20), (8080, REAL6, 40)):
        for inner in (ip4() / tcp(dport=port) / bytes(1300), ip6() / tcp(dport=port) / bytes(1300)):
            came = frame(inner)
            sent = ipip(came, real)
            yield came, sent
            answer = tunnel_error(sent, 3, 4, **four) if real == REAL4 else tunnel_error(sent, 2, **six)
            quoted = 548 - 20 if real == REAL4 else 1232 - 40
            yield answer, too_big(came[:14 + quoted], 1400 - outer)
