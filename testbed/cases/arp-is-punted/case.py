"""RFC 826: the kernel answers."""

from golden import ARP, CLIENT_MAC, VIP4, frame, padded


def packets():
    question = ARP(op=1, hwsrc=CLIENT_MAC, psrc="198.51.100.1", pdst=VIP4)
    yield frame(question, ethertype=0x0806), None
    yield padded(frame(question, ethertype=0x0806, tags=((0x8100, 5),))), None
