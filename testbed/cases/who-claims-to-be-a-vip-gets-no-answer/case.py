"""Another router with the same VIP announces it (RFC 5227 §3), or looks for itself; to answer would fight over it."""

import ipaddress

from golden import ARP, CLIENT_MAC, VIP4, VIP6, frame, icmp6


def packets():
    yield frame(ARP(op=1, hwsrc=CLIENT_MAC, psrc=VIP4, pdst=VIP4), ethertype=0x0806), None
    body = bytes(4) + ipaddress.ip_address(VIP6).packed
    yield frame(icmp6(135, body, src=VIP6, dst="ff02::1:ff00:10", hlim=255)), None
