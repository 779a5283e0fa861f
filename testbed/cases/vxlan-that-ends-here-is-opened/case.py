"""RFC 7348 §5: both headers go, the inner Ethernet header too. Reserved bits are not looked at."""

from golden import REAL4, UDP, VXLAN, Ether, frame, ip4, ip6, ipip, tcp, to_end, to_end6


def packets():
    link = Ether(dst="02:00:00:00:01:01", src="02:00:00:00:09:09")
    for outer in (to_end(), to_end6()):
        for inner in (ip4() / tcp(), ip6() / tcp()):
            yield (frame(outer / UDP(sport=50000, dport=4789) / VXLAN(flags=0x88, vni=42, reserved2=7) / link / inner),
                   ipip(frame(inner), REAL4, hop_limit=48))
