"""What a golden case is written with: frames to send, and what must come out for them.

Everything here is written from the RFCs and from the cases' own rules, never from the program under test:
it is the second opinion. Each module says which rule it restates.
"""

from scapy.layers.inet import IP, IPOption, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, GRE, Ether
from scapy.layers.vxlan import VXLAN

from .fragments import followed, part4, part6, pieces4, pieces6
from .frames import (CLIENT4, CLIENT6, CLIENT_MAC, NEXT_HOP, NODE_MAC, REAL4, REAL6, VIP4, VIP6, chained, cut, echo4,
                     echo6, error4, error6, extension, flow_of, frame, icmp4, icmp6, ip4, ip6, padded, patched, reply,
                     tcp, udp)
from .keys import ah, chooser, esp
from .marks import MPLS, labelled, linked, remarked
from .meter import Meter
from .neighbours import advertisement, arp_reply
from .outputs import GUE, Inner, echo_answer, entropy, ipip, mac_rewrite, too_big, tunnelled, unreachable
from .room import Room
from .quic import Ids, long, short
from .selection import Pool, door, prf
from .tunnels import END4, END6, UPPER4, UPPER6, nested, to_end, to_end6, tunnel_error

__all__ = [
    "ARP", "IP", "IPOption", "IPv6", "TCP", "UDP",
    "CLIENT4", "CLIENT6", "CLIENT_MAC", "NEXT_HOP", "NODE_MAC", "REAL4", "REAL6", "VIP4", "VIP6",
    "chained", "cut", "echo4", "echo6", "error4", "error6", "extension", "flow_of", "frame", "icmp4", "icmp6",
    "ip4", "ip6", "padded", "patched", "reply", "tcp", "udp",
    "followed", "part4", "part6", "pieces4", "pieces6",
    "GUE", "Inner",
    "advertisement", "arp_reply", "echo_answer", "entropy", "ipip", "mac_rewrite", "too_big", "tunnelled", "unreachable",
    "Pool", "Room", "door", "prf",
    "ah", "chooser", "esp",
    "Ids", "long", "short",
    "END4", "END6", "UPPER4", "UPPER6", "nested", "to_end", "to_end6", "tunnel_error",
    "Ether", "GRE", "VXLAN",
    "MPLS", "Meter", "labelled", "linked", "remarked",
]
