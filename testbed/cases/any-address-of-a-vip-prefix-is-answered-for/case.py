"""Where the prefix is on the link: RFC 826 for each of its addresses, and for none beside it."""

from golden import ARP, CLIENT_MAC, arp_reply, frame


def packets():
    for address in ("198.51.100.0", "198.51.100.77", "198.51.100.255"):
        asked = frame(ARP(op=1, hwsrc=CLIENT_MAC, psrc="192.0.2.9", pdst=address), ethertype=0x0806)
        yield asked, arp_reply(asked)
    yield frame(ARP(op=1, hwsrc=CLIENT_MAC, psrc="192.0.2.9", pdst="198.51.101.0"), ethertype=0x0806), None
