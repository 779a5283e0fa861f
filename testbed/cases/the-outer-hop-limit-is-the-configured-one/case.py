"""TTL and hop limit of the outer header are set, never copied from inside (RFC 2003 §3.1, RFC 2473 §6.3)."""

from golden import REAL4, REAL6, frame, ip4, ip6, ipip, tcp


def packets():
    for ip in (ip4(ttl=2), ip6(hlim=2)):
        packet = frame(ip / tcp())
        yield packet, ipip(packet, REAL4 if ip.version == 4 else REAL6, hop_limit=17)
