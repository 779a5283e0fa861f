"""Nothing is dropped; the limit's code point wins over the mark's, and other marks stay."""

from golden import REAL4, frame, ip4, ipip, linked, remarked, tcp


def packets():
    sent = frame(ip4(tos=1) / tcp() / bytes(160))
    for dscp in (10, 14):
        yield sent, linked(ipip(remarked(sent, dscp), REAL4), {"insert_vlan": 7})
    sent = frame(ip4(tos=1) / tcp(dport=81) / bytes(160))
    yield sent, ipip(sent, REAL4)
    yield sent, ipip(remarked(sent, 14), REAL4)[:-200] + sent[14:]
