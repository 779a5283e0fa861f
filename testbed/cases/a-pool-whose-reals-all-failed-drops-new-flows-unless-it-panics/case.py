"""Nobody is up: without a threshold new flows are dropped, with one they go to what failed, which may answer."""

from golden import frame, ip4, ipip, tcp


def packets():
    for dport, out in ((80, False), (81, True)):
        sent = frame(ip4() / tcp(dport=dport, flags="S"))
        yield sent, ipip(sent, "10.0.0.12") if out else None
