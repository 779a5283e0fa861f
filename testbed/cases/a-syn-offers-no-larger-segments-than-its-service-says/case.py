"""RFC 9293 §3.7.1: a larger offer is lowered and the checksum corrected, in IPv4 and IPv6, of a SYN sent again too, at an even
place and at an odd one. A smaller or equal one stays, and so does a segment that is no SYN."""

from golden import REAL4, frame, ip4, ip6, ipip, tcp



def packets():
    def syn(ip, mss, before=(), **fields):
        return ip / tcp(flags="S", options=[*before, ("MSS", mss), ("SAckOK", b"")], **fields) / b""

    for ip, most in ((ip4(), 1400), (ip6(), 1380)):
        for port, offer in ((40001, 1460), (40001, 1460), (40002, most + 1), (40003, most), (40004, 536), (40005, 65535)):
            yield (frame(syn(ip, offer, sport=port)),
                   ipip(frame(syn(ip, min(offer, most), sport=port)), REAL4))
        odd = (("NOP", None), ("WScale", 7), ("NOP", None))
        yield frame(syn(ip, 1460, odd, sport=40006)), ipip(frame(syn(ip, most, odd, sport=40006)), REAL4)
        late = ip / tcp(flags="A", sport=40001, options=[("MSS", 1460)])
        yield frame(late), ipip(frame(late), REAL4)
