"""What a rule leaves out may be anything, the family too."""

from golden import frame, ip4, ip6, ipip, tcp

API = "10.0.0.21"


def packets():
    yield frame(ip4() / tcp(dport=80)), None
    yield frame(ip6() / tcp(dport=80)), None
    packet = frame(ip4() / tcp(dport=8080))
    yield packet, ipip(packet, API)
