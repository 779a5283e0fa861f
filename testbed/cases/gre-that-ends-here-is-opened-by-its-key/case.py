"""RFC 2784, RFC 2890: two ends at one address, one of which has a key. Ethertypes of both families."""

from golden import GRE, REAL4, frame, ip4, ip6, ipip, tcp, to_end


def packets():
    for gre in (GRE(), GRE(key_present=1, key=42)):
        for inner in (ip4() / tcp(), ip6() / tcp()):
            yield frame(to_end() / gre / inner), ipip(frame(inner), REAL4, hop_limit=48)
