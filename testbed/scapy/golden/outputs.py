"""What leaves for what came in: IP in IP and the other tunnels, MAC rewrite, echo answers, and the word that a packet
is too big.

RFC 2784 and 2890 (GRE), RFC 7348 (VXLAN), draft-ietf-intarea-gue (GUE), RFC 2003 (4in4), RFC 2473 (in IPv6), RFC 4213 (6in4), RFC 6040 (ECN), RFC 792 and RFC 4443 (echo, errors).
"""

import ipaddress
import struct
from typing import NamedTuple

from scapy.fields import BitField, ByteField, ShortField
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6PacketTooBig, IPv6, in6_chksum
from scapy.layers.l2 import GRE, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet, Raw
from scapy.utils import checksum

from .frames import IPV4, IPV6, NEXT_HOP, NODE_MAC, TAGS, Flow, flow_of, patched

SOURCE4, SOURCE6 = "192.0.2.1", "2001:db8::1"


def mac(address: str) -> bytes:
    """A MAC address as bytes."""
    return bytes.fromhex(address.replace(":", ""))


def split(whole: bytes) -> tuple[bytes, int, bytes]:
    """The VLAN tags, the ethertype behind them, and the IP packet cut to its own length."""
    at = 12
    while struct.unpack_from("!H", whole, at)[0] in TAGS:
        at += 4
    (ethertype,) = struct.unpack_from("!H", whole, at)
    packet = whole[at + 2:]
    size = struct.unpack_from("!H", packet, 2)[0] if ethertype == IPV4 else 40 + struct.unpack_from("!H", packet, 4)[0]
    return whole[12:at], ethertype, packet[:size]


def entropy(flow: Flow) -> int:
    """Sixteen bits that spread flows: all words of the addresses and the ports, folded by XOR, then the high
    half of a product with 2^32 over the golden ratio."""
    addresses = b"".join(ipaddress.ip_address(end).packed for end in (flow.src, flow.dst))
    folded = flow.sport << 16 | flow.dport
    for (word,) in struct.iter_unpack("!I", addresses):
        folded ^= word
    return (folded * 0x9E3779B1 & 0xFFFFFFFF) >> 16


def outer_source(source: str, spread: int) -> str:
    """A fixed address, or one of a prefix with entropy in the bits below it."""
    if "/" not in source:
        return source
    network = ipaddress.ip_network(source)
    return str(network[spread & int(network.hostmask)])


class GUE(Packet):
    """Variant 0 of the draft's figure: variant, control bit, length of options in words, protocol, flags."""

    name = "GUE"
    fields_desc = [BitField("variant", 0, 2), BitField("control", 0, 1), BitField("hlen", 0, 5),
                   ByteField("proto", 4), ShortField("flags", 0)]


class Inner(NamedTuple):
    """What a tunnel puts between the outer IP header and the packet."""

    encap: str
    key: int | None = None
    port: int | None = None
    mac: str | None = None
    checksum: str = "auto"


PORTS = {"gue": 6080, "fou": 5555, "vxlan": 4789}


def tail(inner: Inner, ethertype: int, spread: int, node_mac: str) -> Packet:
    """The headers behind the outer IP header; the source port is one of 49152 to 65535 (RFC 7348 §5)."""
    if inner.encap == "gre":
        return GRE(proto=ethertype) if inner.key is None else GRE(key_present=1, key=inner.key, proto=ethertype)
    udp = UDP(sport=49152 + spread // 4, dport=inner.port or PORTS[inner.encap])
    if inner.encap == "gue":
        return udp / GUE(proto=4 if ethertype == IPV4 else 41)
    if inner.encap == "vxlan":
        return udp / VXLAN(flags=8, vni=inner.key) / Ether(dst=inner.mac, src=node_mac, type=ethertype)
    return udp


def tunnelled(whole: bytes, real: str, inner: Inner, **settings) -> bytes:
    """The frame that carries `whole`'s IP packet to `real` in GRE, GUE, FOU or VXLAN: what IP in IP would make, and
    behind its outer header the tail; lengths and checksums are scapy's."""
    _, ethertype, packet = split(whole)
    bare = ipip(whole, real, **settings)
    at, size = len(bare) - len(packet), 40 if ":" in real else 20
    spread = entropy(settings.get("flow") or flow_of(whole))
    link, outer = bare[:at - size], (IPv6 if size == 40 else IP)(bare[at - size:at])
    behind = tail(inner, ethertype, spread, settings.get("node_mac", NODE_MAC))
    if inner.encap != "gre" and (inner.checksum == "zero" or inner.checksum == "auto" and size == 20):
        behind[UDP].chksum = 0
    for field in ("len", "chksum", "plen"):
        if field in outer.fields:
            outer.delfieldval(field)
    outer.setfieldval("nh" if size == 40 else "proto", 47 if inner.encap == "gre" else 17)
    return link + (outer / behind / Raw(packet)).build()


def ipip(whole: bytes, real: str, *, source: str | None = None, next_hop: str = NEXT_HOP,
         node_mac: str = NODE_MAC, hop_limit: int = 64, dont_fragment: str = "inherit", identification: int = 0,
         flow: Flow | None = None) -> bytes:
    """The frame that carries `whole`'s IP packet to `real` in an IP header of the real's family.

    The tags stay, link padding goes, nothing of the inner packet changes. `flow` is given where the packet
    is not itself of the flow: an ICMP error travels with the entropy of the flow that it quotes.
    """
    tags, ethertype, inner = split(whole)
    traffic_class = inner[1] if ethertype == IPV4 else struct.unpack_from("!H", inner)[0] >> 4 & 0xFF
    protocol = 4 if ethertype == IPV4 else 41
    spread = entropy(flow or flow_of(whole))
    if ":" in real:
        outer = IPv6(src=outer_source(source or SOURCE6, spread), dst=real, tc=traffic_class, fl=spread,
                     hlim=hop_limit, nh=protocol, plen=len(inner))
    else:
        inherited = ethertype == IPV6 or bool(inner[6] & 0x40)
        df = {"inherit": inherited, "set": True, "clear": False}[dont_fragment]
        outer = IP(src=outer_source(source or SOURCE4, spread), dst=real, tos=traffic_class, ttl=hop_limit,
                   flags="DF" if df else 0, id=0 if df else identification, proto=protocol, len=20 + len(inner))
    outer_type = struct.pack("!H", IPV6 if ":" in real else IPV4)
    return mac(next_hop) + mac(node_mac) + tags + outer_type + outer.build() + inner


def mac_rewrite(whole: bytes, next_hop: str, node_mac: str = NODE_MAC) -> bytes:
    """The frame on its way to a real on the LAN: new addresses, and no link padding."""
    tags, ethertype, packet = split(whole)
    return mac(next_hop) + mac(node_mac) + tags + struct.pack("!H", ethertype) + packet


def echo_answer(whole: bytes) -> bytes:
    """The answer to an echo request: addresses swapped, a fresh hop limit, checksums made anew from nothing."""
    tags, ethertype, packet = split(whole)
    head = whole[6:12] + whole[0:6] + tags + struct.pack("!H", ethertype)
    if ethertype == IPV4:
        size = (packet[0] & 0x0F) * 4
        header = packet[:8] + b"\x40" + packet[9:10] + b"\0\0" + packet[16:20] + packet[12:16] + packet[20:size]
        message = patched(b"\0" + packet[size + 1:], 2, b"\0\0")
        return (head + patched(header, 10, struct.pack("!H", checksum(header)))
                + patched(message, 2, struct.pack("!H", checksum(message))))
    header = packet[:7] + b"\x40" + packet[24:40] + packet[8:24]
    message = patched(b"\x81" + packet[41:], 2, b"\0\0")
    return head + header + patched(message, 2, struct.pack("!H", in6_chksum(58, IPv6(header), message)))


def too_big(whole: bytes, mtu: int) -> bytes:
    """The VIP's word that a packet exceeds `mtu`: it quotes as much as 576 bytes in all hold (RFC 1812 §4.3.2.3),
    1280 of IPv6 (RFC 4443 §2.4), as network control (RFC 1812 §4.3.2.5)."""
    return told(whole, ICMP(type=3, code=4, nexthopmtu=mtu), ICMPv6PacketTooBig(mtu=mtu))


def unreachable(whole: bytes) -> bytes:
    """The VIP's word that a packet did not arrive: host unreachable (RFC 792), address unreachable (RFC 4443 §3.1)."""
    return told(whole, ICMP(type=3, code=1), ICMPv6DestUnreach(code=3))


def told(whole: bytes, message4: ICMP, message6: Packet) -> bytes:
    """An error about a packet, from whom it was sent to."""
    tags, ethertype, packet = split(whole)
    if ethertype == IPV4:
        sent = IP(packet[:20])
        error = IP(src=sent.dst, dst=sent.src, tos=0xC0, id=0, flags="DF", ttl=64) / message4 / packet[:576 - 28]
    else:
        sent = IPv6(packet[:40])
        error = IPv6(src=sent.dst, dst=sent.src, hlim=64) / message6 / packet[:1280 - 48]
    return whole[6:12] + whole[0:6] + tags + struct.pack("!H", ethertype) + bytes(error)
