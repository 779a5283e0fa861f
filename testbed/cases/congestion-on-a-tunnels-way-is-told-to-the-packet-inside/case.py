"""RFC 6040 §4.2, figure 4, all sixteen pairs in IPv4 and in IPv6; DSCP stays the packet's own. What cannot say that it met
congestion is dropped."""

from golden import REAL4, frame, ip4, ip6, ipip, tcp, to_end


def packets():
    NOT, ECT1, ECT0, CE = range(4)
    FIGURE = {NOT: (NOT, NOT, NOT, None), ECT0: (ECT0, ECT1, ECT0, CE), ECT1: (ECT1, ECT1, ECT1, CE), CE: (CE, CE, CE, CE)}
    for inside, row in FIGURE.items():
        for outside, leaves in enumerate(row):
            outer = to_end(tos=0xB8 | outside)
            out4 = out6 = None
            if leaves is not None:
                out4 = ipip(frame(ip4(tos=0x28 | leaves) / tcp()), REAL4, hop_limit=48)
                out6 = ipip(frame(ip6(tc=0x28 | leaves) / tcp()), REAL4, hop_limit=48)
            yield frame(outer / ip4(tos=0x28 | inside) / tcp()), out4
            yield frame(outer / ip6(tc=0x28 | inside) / tcp()), out6
