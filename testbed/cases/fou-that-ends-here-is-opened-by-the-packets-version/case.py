"""Behind the UDP header stands the packet, of either family; what begins like neither is refused."""

from golden import REAL4, UDP, frame, ip4, ip6, ipip, tcp, to_end, to_end6


def packets():
    for outer in (to_end(), to_end6()):
        for inner in (ip4() / tcp(), ip6() / tcp()):
            yield frame(outer / UDP(sport=50000, dport=7777) / inner), ipip(frame(inner), REAL4, hop_limit=48)
        yield frame(outer / UDP(sport=50000, dport=7777) / b"\x50 is neither"), None
        yield frame(outer / UDP(sport=50000, dport=7777)), None
