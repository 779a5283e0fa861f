"""RFC 826: with our own MAC address, to whoever asked, in the VLAN of the question and without its padding."""

from golden import ARP, CLIENT_MAC, VIP4, arp_reply, frame, padded


def packets():
    question = ARP(op=1, hwsrc=CLIENT_MAC, psrc="198.51.100.1", pdst=VIP4)
    for tags in ((), ((0x8100, 5),), ((0x8100, 7), (0x8100, 5))):
        asked = padded(b"\xff" * 6 + frame(question, ethertype=0x0806, tags=tags)[6:])
        yield asked, arp_reply(asked)
    asked = frame(question, ethertype=0x0806)
    yield asked, arp_reply(asked)
