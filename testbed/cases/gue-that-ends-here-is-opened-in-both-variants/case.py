"""draft-ietf-intarea-gue §3: a header that names the protocol, and variant 1, the packet itself."""

from golden import GUE, REAL4, UDP, frame, ip4, ip6, ipip, tcp, to_end, to_end6


def packets():
    for outer in (to_end(), to_end6()):
        for inner, protocol in ((ip4() / tcp(), 4), (ip6() / tcp(), 41)):
            yield (frame(outer / UDP(sport=50000, dport=6080) / GUE(proto=protocol) / inner),
                   ipip(frame(inner), REAL4, hop_limit=48))
            yield frame(outer / UDP(sport=50000, dport=6080) / inner), ipip(frame(inner), REAL4, hop_limit=48)
