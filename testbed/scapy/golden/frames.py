"""Frames as a client's last router hands them to us, and the small ways of spoiling them.

A frame is `bytes` from here on: what goes into send.pcap is what is looked at, not scapy's idea of it.
"""

import struct
from typing import NamedTuple

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6, in6_chksum
from scapy.layers.ipsec import AH, ESP
from scapy.layers.l2 import Ether
from scapy.packet import Packet
from scapy.utils import checksum

CLIENT_MAC = "02:00:00:00:00:c1"
NODE_MAC = "02:00:00:00:00:01"
NEXT_HOP = "02:00:00:00:00:fe"
# Documentation addresses (RFC 5737, RFC 3849) for the outside, private ones for the reals.
CLIENT4, VIP4, REAL4 = "203.0.113.7", "198.51.100.10", "10.0.0.11"
CLIENT6, VIP6, REAL6 = "2001:db8:c::7", "2001:db8:100::10", "2001:db8:a::11"

IPV4, IPV6 = 0x0800, 0x86DD
TAGS = (0x8100, 0x88A8)


class Flow(NamedTuple):
    """A five-tuple in the client-to-VIP direction."""

    src: str
    dst: str
    sport: int
    dport: int
    protocol: int


def ip4(**fields) -> IP:
    """An IPv4 header from the client to the VIP, with Don't Fragment as TCP stacks set it."""
    return IP(**({"src": CLIENT4, "dst": VIP4, "flags": "DF", "id": 0x1234, "ttl": 57} | fields))


def ip6(**fields) -> IPv6:
    """An IPv6 header from the client to the VIP."""
    return IPv6(**({"src": CLIENT6, "dst": VIP6, "hlim": 57} | fields))


def tcp(sport: int = 40000, dport: int = 80, flags: str = "A", **fields) -> TCP:
    """A TCP header to the service's port."""
    return TCP(**({"sport": sport, "dport": dport, "flags": flags, "seq": 1000, "ack": 0, "window": 512} | fields))


def udp(sport: int = 40000, dport: int = 53, **fields) -> UDP:
    """A UDP header to the service's port."""
    return UDP(sport=sport, dport=dport, **fields)


def frame(packet: Packet | bytes, tags: tuple = (), ethertype: int | None = None) -> bytes:
    """An Ethernet frame to us; `tags` are (ethertype, TCI) pairs, the outermost first. It is not padded."""
    if ethertype is None:
        ethertype = IPV6 if isinstance(packet, IPv6) else IPV4
    head = Ether(dst=NODE_MAC, src=CLIENT_MAC, type=0).build()[:12]
    return head + b"".join(struct.pack("!HH", *tag) for tag in tags) + struct.pack("!H", ethertype) + bytes(packet)


def padded(whole: bytes, size: int = 60, filling: bytes = b"\0") -> bytes:
    """The frame as a NIC sends it when it is too short for the wire (IEEE 802.3 §3.2.8)."""
    return whole + filling * (size - len(whole))


def cut(whole: bytes, size: int) -> bytes:
    """The frame's first `size` bytes; a negative size leaves that many bytes off its end."""
    return whole[:size]


def patched(whole: bytes, offset: int, value: bytes) -> bytes:
    """The frame with other bytes at `offset`; no checksum is made good."""
    return whole[:offset] + value + whole[offset + len(value):]


def extension(kind: int, following: int, size: int = 8) -> bytes:
    """An IPv6 extension header of `size` bytes (RFC 8200 §4): options that are all Pad1, or a routing
    header with no segment left, or the fragment header of a packet that is whole (RFC 6946)."""
    return bytes([following, 0 if kind == 44 else size // 8 - 1, 253 if kind == 43 else 0]) + bytes(size - 3)


def chained(kinds: list[int], packet: IPv6, size: int = 8) -> IPv6:
    """The packet with these extension headers of `size` bytes each between its header and its payload."""
    whole = bytes(packet)
    following, chain = whole[6], whole[40:]
    for kind in reversed(kinds):
        following, chain = kind, extension(kind, following, size) + chain
    header = IPv6(whole[:40])
    header.nh, header.plen = following, len(chain)
    return header / chain


def icmp4(kind: int, body: bytes, code: int = 0, **header) -> IP:
    """An ICMP message in its IPv4 packet (RFC 792)."""
    message = struct.pack("!BBH", kind, code, 0) + body
    return ip4(proto=1, **header) / patched(message, 2, struct.pack("!H", checksum(message)))


def echo4(payload: bytes = b"penstock", **header) -> IP:
    """An ICMP echo request in its IPv4 packet (RFC 792)."""
    return icmp4(8, struct.pack("!HH", 7, 1) + payload, **header)


def icmp6(kind: int, body: bytes, code: int = 0, **header) -> IPv6:
    """An ICMPv6 message in its IPv6 packet, checksummed with the pseudo header (RFC 4443 §2.3)."""
    ip = ip6(nh=58, **header)
    message = struct.pack("!BBH", kind, code, 0) + body
    return ip / patched(message, 2, struct.pack("!H", in6_chksum(58, ip, message)))


def echo6(payload: bytes = b"penstock", **header) -> IPv6:
    """An ICMPv6 echo request in its IPv6 packet (RFC 4443 §4.1)."""
    return icmp6(128, struct.pack("!HH", 7, 1) + payload, **header)


def reply(sent: bytes, **header) -> Packet:
    """The packet that the VIP's server sends back to the client for this one: what routers on the way quote."""
    flow = flow_of(sent)
    l4 = TCP(sport=flow.dport, dport=flow.sport, flags="A", seq=7, window=512)
    if flow.protocol == 17:
        l4 = UDP(sport=flow.dport, dport=flow.sport)
    ip = IPv6 if ":" in flow.src else IP
    return ip(**({"src": flow.dst, "dst": flow.src} | header)) / l4 / b"the answer"


def error4(kind: int, quote: Packet | bytes, code: int = 0, rest: bytes = bytes(4), size: int = 28, **header) -> IP:
    """An ICMP error from a router on the way to the VIP, quoting `size` bytes: by default the header and
    eight bytes more (RFC 792)."""
    return icmp4(kind, rest + bytes(quote)[:size], code=code, **({"src": "192.0.2.77"} | header))


def error6(kind: int, quote: Packet | bytes, code: int = 0, rest: bytes = bytes(4), size: int = 1232, **header) -> IPv6:
    """An ICMPv6 error from a router on the way to the VIP, quoting as much as fits (RFC 4443 §3)."""
    return icmp6(kind, rest + bytes(quote)[:size], code=code, **({"src": "2001:db8:77::1"} | header))


def flow_of(sent: bytes) -> Flow:
    """The five-tuple of a frame; of ESP and AH the SPI stands where others have ports."""
    packet = Ether(sent)
    ip = packet[IPv6] if IPv6 in packet else packet[IP]
    for kind, number in ((ESP, 50), (AH, 51)):
        if kind in packet:
            return Flow(ip.src, ip.dst, *divmod(packet[kind].spi, 1 << 16), number)
    if TCP not in packet and UDP not in packet:
        return Flow(ip.src, ip.dst, 0, 0, ip.nh if IPv6 in packet else ip.proto)
    l4 = packet[TCP] if TCP in packet else packet[UDP]
    return Flow(ip.src, ip.dst, l4.sport, l4.dport, 6 if TCP in packet else 17)
