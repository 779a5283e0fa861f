"""RFC 5227 §2.1.1, RFC 4862 §5.4: a server that holds the VIP for its direct replies may ask so, and must not be
told to give it up."""

import ipaddress

from golden import ARP, CLIENT_MAC, VIP4, VIP6, frame, icmp6


def packets():
    yield frame(ARP(op=1, hwsrc=CLIENT_MAC, psrc="0.0.0.0", pdst=VIP4), ethertype=0x0806), None
    body = bytes(4) + ipaddress.ip_address(VIP6).packed
    yield frame(icmp6(135, body, src="::", dst="ff02::1:ff00:10", hlim=255)), None
