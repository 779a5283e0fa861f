"""Tunnels that end here, opened once more: RFC 2003, 2473, 4213 (IP in IP), RFC 2784 and 2890 (GRE), RFC 7348 (VXLAN),
draft-ietf-intarea-gue (GUE), RFC 6040 §4.2 (ECN). And what an upper router sends to one of them.
"""

import ipaddress
import struct
from collections import Counter
from collections.abc import Callable

from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6, in6_chksum
from scapy.packet import Packet
from scapy.utils import checksum

from .frames import IPV4, IPV6, TAGS, error4, error6, frame
from .outputs import PORTS

# The router above us, and our own address where its tunnels end.
UPPER4, END4 = "192.0.2.200", "192.0.2.9"
UPPER6, END6 = "2001:db8:e::1", "2001:db8::9"
SHELLS_MAX = 4
ETHERTYPES = {4: IPV4, 41: IPV6}
# RFC 6040, figure 4, where what leaves differs from what is inside: (inside, outside) to what leaves, or nothing does.
NOT_ECT, ECT1, ECT0, CE = range(4)
ECN = {(NOT_ECT, CE): None, (ECT0, ECT1): ECT1, (ECT0, CE): CE, (ECT1, CE): CE}


def to_end(**fields) -> IP:
    """The outer IPv4 header from the upper router to our end."""
    return IP(**({"src": UPPER4, "dst": END4, "ttl": 64, "id": 7} | fields))


def to_end6(**fields) -> IPv6:
    """The outer IPv6 header from the upper router to our end."""
    return IPv6(**({"src": UPPER6, "dst": END6, "hlim": 64} | fields))


class Refused(Exception):
    """The counter of a packet that goes nowhere."""


def refuse(condition: bool, counter: str) -> None:
    """Refuses if the condition holds."""
    if condition:
        raise Refused(f"drop.{counter}")


def link_of(frame: bytes) -> int:
    """Bytes of the link header with its tags."""
    at = 12
    while struct.unpack_from("!H", frame, at)[0] in TAGS:
        at += 4
    return at + 2


class Ends:
    """All ends of a configuration."""

    def __init__(self, config: dict):
        tunnel = config.get("tunnel", {})
        self.hop_limit, self.passes = tunnel.get("hop_limit", 64), tunnel.get("passes_max", 4)
        self.own = [ipaddress.ip_network(tunnel[key], strict=False)
                    for key in ("source_v4", "source_v6") if key in tunnel]
        self.ends = config.get("tunnel_end", [])

    def open(self, frame: bytes, parse: Callable, counters: Counter) -> tuple[bytes, int | None]:
        """The frame as it goes on, and the least TTL of the tunnels it came in. `parse` reads a frame or gives none."""
        least, shells = None, 0
        while (found := self.shell(frame, parse)) is not None:
            refuse(shells == SHELLS_MAX, "tunnel_depth")
            frame, ttl = found
            shells, least = shells + 1, ttl if least is None else min(least, ttl)
            counters["tunnel.ended"] += 1
        return frame, least

    def left(self, ttl: int) -> int:
        """The hop limit of a packet that is tunnelled on; one share of it is ours."""
        left = min(ttl, self.hop_limit) - -(-self.hop_limit // self.passes)
        refuse(left <= 0, "tunnel_loop")
        return left

    def shell(self, frame: bytes, parse: Callable) -> tuple[bytes, int] | None:
        """What one tunnel carries, behind the frame's link header, and the tunnel's TTL; none if none ends here."""
        packet = parse(frame) if self.ends else None
        here = [end for end in self.ends if packet and end["address"] == packet.dst]
        if not here:
            return None
        if packet.fragment:
            kinds = {end.get("encap", "ipip") for end in here}
            ours = {4: {"ipip"}, 41: {"ipip"}, 47: {"gre"}, 17: {"gue", "fou", "vxlan"}}.get(packet.protocol, set())
            refuse(packet.version == 6 or bool(kinds & ours), "tunnel_fragment")
            return None
        found = self.carried(packet, here)
        if found is None:
            return None
        end, ethertype, inside, intact = found
        source = ipaddress.ip_address(packet.src)
        refuse(any(source in net for net in self.own), "tunnel_loop")
        refuse(not any(net == "any" or source in ipaddress.ip_network(net) for net in end["from"]), "tunnel_source")
        refuse(not intact, "tunnel_checksum")
        if ethertype is None:
            ethertype = {4: IPV4, 6: IPV6}.get((inside[:1] or b"\0")[0] >> 4)
        refuse(ethertype not in (IPV4, IPV6), "tunnel_payload")
        at = link_of(frame)
        outer = frame[at:]
        outside, ttl = (outer[1] & 3, outer[8]) if packet.version == 4 else (outer[1] >> 4 & 3, outer[7])
        link = frame[:at - 2] + struct.pack("!H", ethertype)
        return link + self.marked(inside, ethertype, outside), ttl

    @staticmethod
    def carried(packet, here: list) -> tuple | None:
        """The end that takes a packet, the ethertype of what it carries and that itself, and whether the sum is right."""
        raw, kind = packet.payload, packet.protocol

        def keyed(ends: list, key: int | None) -> dict:
            found = [end for end in ends if end.get("tunnel_key") == key]
            refuse(not found, "tunnel_key")
            return found[0]

        if kind in ETHERTYPES:
            found = [end for end in here if end.get("encap", "ipip") == "ipip"]
            return (found[0], ETHERTYPES[kind], raw, True) if found else None
        if kind == 47 and (ends := [end for end in here if end.get("encap") == "gre"]):
            refuse(len(raw) < 4, "truncated")
            refuse(bool(raw[0] & 0x4C or raw[1] & 7), "tunnel_malformed")
            has_sum, has_key, has_sequence = (bool(raw[0] & bit) for bit in (0x80, 0x20, 0x10))
            size = 4 + 4 * (has_sum + has_key + has_sequence)
            refuse(len(raw) < size, "truncated")
            key = struct.unpack_from("!I", raw, 4 + 4 * has_sum)[0] if has_key else None
            intact = not has_sum or checksum(raw) == 0
            return keyed(ends, key), struct.unpack_from("!H", raw, 2)[0], raw[size:], intact
        if kind == 17:
            _, dport, size, total = struct.unpack_from("!HHHH", raw)
            ends = [end for end in here if end.get("tunnel_port", PORTS.get(end.get("encap"))) == dport]
            if not ends:
                return None
            datagram = raw[:size]
            intact = total == 0 or datagram_sum(packet, datagram) == 0
            return *Ends.behind_udp(ends, datagram[8:], keyed), intact
        return None

    @staticmethod
    def behind_udp(ends: list, rest: bytes, keyed: Callable) -> tuple:
        """The end, ethertype and packet of a datagram to a tunnel's port."""
        encap = ends[0]["encap"]
        if encap == "vxlan":
            refuse(len(rest) < 22, "truncated")
            refuse(not rest[0] & 8, "tunnel_malformed")
            refuse(bool(rest[8] & 1), "tunnel_payload")
            return keyed(ends, int.from_bytes(rest[4:7], "big")), struct.unpack_from("!H", rest, 20)[0], rest[22:]
        if encap == "gue":
            refuse(not rest, "truncated")
            refuse(rest[0] >> 7 == 1, "tunnel_malformed")
            if rest[0] >> 6 == 0:
                refuse(len(rest) < 4 or len(rest) < 4 + 4 * (rest[0] & 31), "truncated")
                refuse(rest[0] != 0 or rest[2:4] != b"\0\0" or rest[1] not in ETHERTYPES, "tunnel_payload")
                return ends[0], ETHERTYPES[rest[1]], rest[4:]
        return ends[0], None, rest

    @staticmethod
    def marked(inside: bytes, ethertype: int, outside: int) -> bytes:
        """The packet with the ECN that it leaves with."""
        if len(inside) < 2:
            return inside
        mine = inside[1] & 3 if ethertype == IPV4 else inside[1] >> 4 & 3
        leaves = ECN.get((mine, outside), mine)
        refuse(leaves is None, "tunnel_ecn")
        if leaves == mine:
            return inside
        if ethertype == IPV6:
            return inside[:1] + bytes([inside[1] & 0xCF | leaves << 4]) + inside[2:]
        size = (inside[0] & 15) * 4
        header = inside[:1] + bytes([inside[1] & 0xFC | leaves]) + inside[2:10] + b"\0\0" + inside[12:size]
        return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + inside[size:]


def datagram_sum(packet, datagram: bytes) -> int:
    """0 if the UDP checksum is right, with the pseudo header of its family."""
    if packet.version == 6:
        return in6_chksum(17, IPv6(src=packet.src, dst=packet.dst), datagram)
    addresses = b"".join(ipaddress.ip_address(end).packed for end in (packet.src, packet.dst))
    return checksum(addresses + struct.pack("!HH", 17, len(datagram)) + datagram)


def nested(outers: list[Packet], inner: Packet) -> Packet:
    """A packet in tunnels in one another, the outermost first."""
    for outer in reversed(outers):
        inner = outer / inner
    return inner


def tunnel_error(sent: bytes, kind: int, code: int = 0, rest: bytes = bytes(4), size: int | None = None,
                 **header) -> bytes:
    """A router's ICMP error about a frame that we sent, to where our tunnel comes from; it quotes as much as it may."""
    quote = sent[14:]
    if quote[0] >> 4 == 4:
        return frame(error4(kind, quote, code, rest, size or 576 - 28, **({"dst": "192.0.2.1"} | header)))
    return frame(error6(kind, quote, code, rest, size or 1280 - 48, **({"dst": "2001:db8::1"} | header)))
