"""In by VXLAN, out by GUE, with the UDP checksum over IPv6 made after the budget was taken off, which it does not cover."""

from golden import Inner, REAL6, UDP, VXLAN, Ether, frame, ip4, tcp, to_end, tunnelled


def packets():
    inner = ip4() / tcp()
    came = to_end(ttl=50) / UDP(sport=50000, dport=4789) / VXLAN(vni=42) / Ether(dst="02:00:00:00:01:01") / inner
    yield frame(came), tunnelled(frame(inner), REAL6, Inner("gue"), hop_limit=34)
