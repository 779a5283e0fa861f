"""Of what comes from a VIP only the protocol and port of a service make a response; the rest is like any other packet
for no VIP: another port or protocol, an echo answer, what goes to many at the link layer, what a server sends from its
own address. What is for a VIP is a request, wherever it comes from."""

from golden import CLIENT4, REAL4, VIP4, frame, icmp4, ip4, ipip, patched, tcp, udp

MAIL4 = "198.51.100.20"


def packets():
    back = {"src": VIP4, "dst": CLIENT4}
    response = frame(ip4(**back) / tcp(80, 40000))
    yield response, None
    yield frame(ip4(**back) / tcp(443, 40000)), None
    yield frame(ip4(**back) / udp(80, 40000)), None
    yield frame(icmp4(0, bytes(8), **back)), None
    yield patched(response, 0, b"\xff" * 6), None
    yield frame(ip4(src=REAL4, dst=CLIENT4) / tcp(80, 40000)), None
    between = frame(ip4(src=VIP4, dst=MAIL4) / tcp(80, 25, flags="S"))
    yield between, ipip(between, REAL4)
