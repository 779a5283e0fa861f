"""With return_path = "via-slr" we are the servers' gateway: what they answer passes us with the VIP and the service's
port as its source, and the kernel forwards it (RFC 1812 §5.2). It makes no flow. An error that a server sends about a
request passes the same way, and so do fragments, which name no service (RFC 791 §2.3)."""

from golden import REAL4, REAL6, VIP4, CLIENT4, error4, frame, ip4, ip6, ipip, reply, tcp, udp


def packets():
    request = frame(ip4() / tcp(flags="S"))
    yield request, ipip(request, REAL4)
    yield frame(reply(request)), None
    yield frame(reply(request), tags=((0x8100, 5),)), None
    question = frame(ip6() / udp())
    yield question, ipip(question, REAL6)
    yield frame(reply(question)), None
    yield frame(error4(3, ip4() / tcp(), code=3, src=VIP4, dst=CLIENT4)), None
    yield frame(ip4(src=VIP4, dst=CLIENT4, flags=0, frag=185, proto=17) / bytes(16)), None
