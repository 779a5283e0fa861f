"""Rules see packets to VIPs only: one that matches everything drops nothing that is the kernel's, and neither ARP nor
what is for another address.
"""

from golden import ARP, CLIENT4, CLIENT_MAC, VIP4, arp_reply, echo4, frame, ip4, tcp


def packets():
    yield frame(ip4() / tcp()), None
    yield frame(ip4(dst="198.51.100.11") / tcp()), None
    yield frame(echo4(dst="198.51.100.11")), None
    request = frame(bytes(ARP(op=1, hwsrc=CLIENT_MAC, psrc=CLIENT4, pdst=VIP4)), ethertype=0x0806)
    yield request, arp_reply(request)
