"""Who has a VIP: ARP (RFC 826) and neighbour discovery (RFC 4861 §7.2), and what is said in reply.

A VIP is answered for by us; whoever only asks whether the address is free is not (RFC 5227, RFC 4862 §5.4), nor
is whoever claims to be a VIP.
"""

import struct
from collections.abc import Callable

from scapy.layers.inet6 import (ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, IPv6,
                                in6_chksum)
from scapy.layers.l2 import ARP

from .frames import NODE_MAC, TAGS
from .outputs import mac


def link(whole: bytes) -> tuple[bytes, int, bytes]:
    """At most two VLAN tags, the ethertype behind them, and all that follows."""
    at = 12
    while at < 20 and len(whole) >= at + 6 and struct.unpack_from("!H", whole, at)[0] in TAGS:
        at += 4
    return whole[12:at], int.from_bytes(whole[at:at + 2], "big"), whole[at + 2:]


def arp_reply(whole: bytes, node_mac: str = NODE_MAC) -> bytes:
    """The reply to an ARP request, without link padding."""
    tags, _, rest = link(whole)
    asked = ARP(rest[:28])
    told = ARP(op=2, hwsrc=node_mac, psrc=asked.pdst, hwdst=asked.hwsrc, pdst=asked.psrc)
    return mac(asked.hwsrc) + mac(node_mac) + tags + b"\x08\x06" + bytes(told)


def advertisement(whole: bytes, node_mac: str = NODE_MAC) -> bytes:
    """The advertisement for a solicitation: solicited, overriding, with our link address."""
    tags, ethertype, rest = link(whole)
    asked = IPv6(rest)
    told = (IPv6(src=asked[ICMPv6ND_NS].tgt, dst=asked.src, hlim=255)
            / ICMPv6ND_NA(R=0, S=1, O=1, tgt=asked[ICMPv6ND_NS].tgt) / ICMPv6NDOptDstLLAddr(lladdr=node_mac))
    asker = asked[ICMPv6NDOptSrcLLAddr].lladdr if ICMPv6NDOptSrcLLAddr in asked else whole[6:12].hex(":")
    return mac(asker) + mac(node_mac) + tags + struct.pack("!H", ethertype) + bytes(told)


def answered(whole: bytes, is_vip: Callable[[str], bool], node_mac: str) -> tuple[str, bytes] | None:
    """The counter and the answer, if this is a question that a VIP answers; padding behind it is no part of it."""
    _, ethertype, rest = link(whole)
    if ethertype == 0x0806 and len(rest) >= 28 and rest[:6] == bytes.fromhex("000108000604"):
        asked = ARP(rest[:28])
        is_asked = asked.op == 1 and asked.psrc != "0.0.0.0" and not int(asked.hwsrc[:2], 16) & 1
        if is_asked and is_vip(asked.pdst) and not is_vip(asked.psrc):
            return "arp.answered", arp_reply(whole, node_mac)
    if ethertype == 0x86DD and len(rest) >= 64 and rest[6] == 58 and rest[40:42] == b"\x87\0" and rest[7] == 255:
        size = 40 + struct.unpack_from("!H", rest, 4)[0]
        asked = IPv6(rest[:size])
        intact = in6_chksum(58, IPv6(src=asked.src, dst=asked.dst), rest[40:size]) == 0
        if not intact or asked.src == "::" or asked.src.startswith("ff") or not options_fit(rest[64:size]):
            return None
        target = asked[ICMPv6ND_NS].tgt
        if is_vip(target) and not is_vip(asked.src):
            return "nd.answered", advertisement(whole[:len(whole) - len(rest) + size], node_mac)
    return None


def options_fit(rest: bytes) -> bool:
    """Every option has a length, and the last one ends where the packet does (RFC 4861 §4.6)."""
    while len(rest) >= 2:
        size = 8 * rest[1]
        if not 0 < size <= len(rest):
            return False
        rest = rest[size:]
    return not rest
