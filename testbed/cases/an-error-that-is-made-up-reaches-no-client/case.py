"""Whoever guesses the outer header does not know a flow of that real: another flow's real, an address that is no real's, a
source that is not ours, a client's packet for no service, a wrong checksum, an outer header with options, a fragment."""

from golden import REAL4, frame, ip4, ipip, patched, tcp, tunnel_error


def packets():
    came = frame(ip4() / tcp())
    sent = ipip(came, REAL4)
    yield came, sent
    other = "10.0.0.12"
    yield tunnel_error(ipip(came, other), 3, 1), None
    yield tunnel_error(ipip(came, "10.0.0.99"), 3, 1), None
    yield tunnel_error(ipip(came, REAL4, source="192.0.2.2"), 3, 1), None
    yield tunnel_error(ipip(frame(ip4() / tcp(dport=81)), REAL4), 3, 1), None
    yield tunnel_error(ipip(frame(ip4(dst="203.0.113.99") / tcp()), REAL4), 3, 1), None
    made = tunnel_error(sent, 3, 1)
    yield patched(made, len(made) - 1, b"\x55"), None
    yield tunnel_error(patched(sent, 14, b"\x46"), 3, 1), None
    yield tunnel_error(patched(sent, 20, b"\0\x01"), 3, 1), None
    yield tunnel_error(patched(sent, 23, b"\x2f"), 3, 1), None
    yield tunnel_error(sent, 5, 1), None
    # Nor is a narrow way believed of one.
    yield tunnel_error(ipip(frame(ip4() / tcp(sport=1) / bytes(1400)), REAL4), 3, 4, b"\0\0\x02\x40"), None
    came = frame(ip4() / tcp() / bytes(1400))
    yield came, ipip(came, REAL4)
