"""draft-ietf-intarea-gue §3: what is not known may change what the rest means. A control message; a flag; extensions; no
next header; variants 2 and 3; extensions that the datagram does not hold."""

from golden import GUE, UDP, frame, ip4, tcp, to_end


def packets():
    inner = ip4() / tcp()
    udp = UDP(sport=50000, dport=6080)
    for gue in (GUE(control=1), GUE(flags=1), GUE(hlen=1), GUE(proto=59)):
        yield frame(to_end() / udp / gue / inner), None
    for variant in (2, 3):
        yield frame(to_end() / udp / GUE(variant=variant) / inner), None
    yield frame(to_end() / udp / GUE(hlen=31) / b"short"), None
    yield frame(to_end() / udp / b"\0\x04\0"), None
    yield frame(to_end() / udp), None
