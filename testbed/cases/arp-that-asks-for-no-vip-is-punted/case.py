"""RFC 826: the kernel answers for its own addresses and learns from replies. What is no request, or of another
link or protocol, or cut, is the kernel's too."""

from golden import ARP, CLIENT_MAC, VIP4, cut, frame, padded


def packets():
    question = ARP(op=1, hwsrc=CLIENT_MAC, psrc="198.51.100.1", pdst="198.51.100.2")
    yield frame(question, ethertype=0x0806), None
    yield padded(frame(question, ethertype=0x0806, tags=((0x8100, 5),))), None
    question.pdst = VIP4
    yield frame(ARP(op=2, hwsrc=CLIENT_MAC, psrc="198.51.100.1", pdst=VIP4), ethertype=0x0806), None
    yield frame(ARP(hwtype=6, hwsrc=CLIENT_MAC, psrc="198.51.100.1", pdst=VIP4), ethertype=0x0806), None
    yield frame(ARP(hwsrc="03:00:00:00:00:01", psrc="198.51.100.1", pdst=VIP4), ethertype=0x0806), None
    yield cut(frame(question, ethertype=0x0806), 41), None
