"""Marks on packets and labels in front of them: DSCP (RFC 2474), VLAN tags (IEEE 802.1Q), MPLS (RFC 3032).

Tags and labels are scapy's layers, checksums are made anew from nothing.
"""

import ipaddress
import struct

from scapy.contrib.mpls import MPLS
from scapy.layers.l2 import Dot1AD, Dot1Q, Ether
from scapy.utils import checksum

from .frames import IPV4, IPV6, TAGS, patched

LABELLED = 0x8847


def labelled(whole: bytes, *labels: MPLS) -> bytes:
    """The frame with labels between its tags and its packet; the last one is the bottom."""
    at = 12
    while struct.unpack_from("!H", whole, at)[0] in TAGS:
        at += 4
    for label in labels:
        label.s = int(label is labels[-1])
    stack = b"".join(label.build() for label in labels)
    return whole[:at] + struct.pack("!H", LABELLED) + stack + whole[at + 2:]


def opened(whole: bytes, is_vip) -> tuple[bytes, MPLS | None]:
    """The frame without its labels, and the first of them, where it is a packet to a VIP; else as it came.

    At most four are read, and only those that name a way, or a family (0 and 2): RFC 3032 §2.1."""
    at = 12
    while at < 20 and at + 6 <= len(whole) and struct.unpack_from("!H", whole, at)[0] in TAGS:
        at += 4
    if len(whole) < at + 2 or struct.unpack_from("!H", whole, at)[0] != LABELLED:
        return whole, None
    first, end = None, at + 2
    for _ in range(4):
        if len(whole) < end + 4:
            return whole, None
        label, end = MPLS(whole[end:end + 4]), end + 4
        if label.label < 16 and label.label not in (0, 2):
            return whole, None
        first = first or label
        if label.s:
            break
    else:
        return whole, None
    packet = whole[end:]
    version = packet[0] >> 4 if packet else 0
    reach = {4: (16, 20, IPV4), 6: (24, 40, IPV6)}.get(version)
    if reach is None or len(packet) < reach[1]:
        return whole, None
    if not is_vip(str(ipaddress.ip_address(packet[reach[0]:reach[1]]))):
        return whole, None
    return whole[:at] + struct.pack("!H", reach[2]) + packet, first


def remarked(whole: bytes, dscp: int | None) -> bytes:
    """The frame whose IP packet has this code point; ECN stays, and the header's checksum is right again."""
    at = 12
    while struct.unpack_from("!H", whole, at)[0] in TAGS:
        at += 4
    packet = whole[at + 2:]
    if dscp is None:
        return whole
    if packet[0] >> 4 == 4:
        size = (packet[0] & 15) * 4
        header = patched(patched(packet[:size], 1, bytes([dscp << 2 | packet[1] & 3])), 10, b"\0\0")
        packet = patched(header, 10, struct.pack("!H", checksum(header))) + packet[size:]
    else:
        (word,) = struct.unpack_from("!I", packet)
        packet = struct.pack("!I", word & 0xF03FFFFF | dscp << 22) + packet[4:]
    return whole[:at + 2] + packet


def tags_of(whole: bytes) -> tuple[list[Dot1Q], int, bytes]:
    """The tags as scapy has them, outermost first, the ethertype behind them, and the rest."""
    tags, at = [], 12
    while (kind := struct.unpack_from("!H", whole, at)[0]) in TAGS:
        tags.append((Dot1AD if kind == 0x88A8 else Dot1Q)(whole[at + 2:at + 6]))
        at += 4
    return tags, struct.unpack_from("!H", whole, at)[0], whole[at + 2:]


def linked(out: bytes, mark: dict, came: MPLS | None = None) -> bytes:
    """The frame as it leaves with a mark's labels and tags; `came` is the first label it came with."""
    tags, ethertype, rest = tags_of(out)
    labels = []
    if "push_labels" in mark:
        labels = [MPLS(label=label, cos=mark.get("tc", 0), ttl=mark.get("ttl", 64)) for label in mark["push_labels"]]
    elif "swap_label" in mark and came is not None:
        labels = [MPLS(label=mark["swap_label"], cos=mark.get("tc", came.cos), ttl=mark.get("ttl", came.ttl - 1))]
    for label in labels:
        label.s = int(label is labels[-1])
    if labels:
        ethertype, rest = LABELLED, b"".join(label.build() for label in labels) + rest
    if "insert_vlan" in mark:
        kind = Dot1AD if tags else Dot1Q
        prio = mark.get("priority", tags[0].prio if tags else 0)
        tags.insert(0, kind(vlan=mark["insert_vlan"], prio=prio))
    elif mark.get("remove_vlan"):
        tags = tags[1:]
    elif tags:
        tags[0].vlan = mark.get("rewrite_vlan", tags[0].vlan)
        tags[0].prio = mark.get("priority", tags[0].prio)
    elif "priority" in mark:
        tags = [Dot1Q(vlan=0, prio=mark["priority"])]
    kinds = [0x88A8 if isinstance(tag, Dot1AD) else 0x8100 for tag in tags] + [ethertype]
    head = Ether(out[:12] + struct.pack("!H", kinds[0])).build()[:14]
    for tag, kind in zip(tags, kinds[1:]):
        tag.type = kind
        tag.remove_payload()
        head += tag.build()[:4]
    return head + rest
