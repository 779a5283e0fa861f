"""Fragments: made, put together again, and followed.

RFC 791 §3.2 and RFC 8200 §4.5 say how a packet is cut, RFC 815 how it is put together, RFC 5722 §3 that fragments which
overlap are no packet. What waits, for how long and how much of it, is the cases' own rule.
"""

import struct
from collections import Counter
from dataclasses import dataclass, field

from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from .frames import Flow, frame
from .outputs import ipip

TICKS_A_SECOND = 8
WAIT, IDLE, ANEW = 8, 16, 4
SHELF_MAX, WAITING_MAX, SPANS_MAX = 512, 8, 8
TCP, UDP = 6, 17


@dataclass
class Piece:
    """A fragment's place: whose, from which byte to which, and whether it is the last.

    `kind` is first, later, short (a first one that ends before its transport header does) or other (what is never
    followed); `beside` are the bytes that the whole packet's length would count beside its payload.
    """

    kind: str
    identification: int
    offset: int
    end: int
    more: bool
    beside: int

    def is_sound(self) -> bool:
        """Something in it, eights of bytes before the last, no longer than a packet may be."""
        size = self.end - self.offset
        return size > 0 and (not self.more or size % 8 == 0) and self.beside + self.end <= 65_535


def pieces4(packet: IP, *cuts: int, **header) -> list[bytes]:
    """The frames of an IPv4 packet that is cut at these bytes of its payload, in their order (RFC 791 §3.2)."""
    whole, found = bytes(packet), []
    size = (whole[0] & 15) * 4
    ends = [0, *cuts, len(whole) - size]
    for start, end in zip(ends, ends[1:]):
        found.append(part4(packet, start, whole[size + start:size + end], end != ends[-1], **header))
    return found


def part4(packet: IP, offset: int, payload: bytes, more: bool, **header) -> bytes:
    """One fragment of an IPv4 packet, whatever the rest is."""
    head = IP(bytes(packet)[:(bytes(packet)[0] & 15) * 4])
    for name, value in header.items():
        head.setfieldval(name, value)
    del head.len, head.chksum
    keeps = "DF" if head.flags.DF else ""
    head.flags, head.frag = ("MF+" if more else "") + keeps if more and keeps else "MF" if more else keeps or 0, offset // 8
    return frame(head / payload)


def pieces6(packet: IPv6, *cuts: int, identification: int = 7) -> list[bytes]:
    """The same of an IPv6 packet, all of whose extension headers are cut with it (RFC 8200 §4.5)."""
    whole = bytes(packet)
    ends = [0, *cuts, len(whole) - 40]
    return [part6(packet, start, whole[40 + start:40 + end], end != ends[-1], identification)
            for start, end in zip(ends, ends[1:])]


def part6(packet: IPv6, offset: int, payload: bytes, more: bool, identification: int = 7) -> bytes:
    """One fragment of an IPv6 packet, whatever the rest is."""
    whole = bytes(packet)
    head = IPv6(whole[:40])
    header = struct.pack("!BBHI", whole[6], 0, offset | more, identification)
    head.nh, head.plen = 44, len(header) + len(payload)
    return frame(head / (header + payload))


def followed(whole: bytes, real: str, identification: int = 0, **settings) -> bytes:
    """The frame that carries a fragment to `real`: all of a datagram look alike to whatever spreads tunnels by flow, so
    none shows its ports."""
    packet = Ether(whole).payload
    return ipip(whole, real, identification=identification, flow=Flow(packet.src, packet.dst, 0, 0, 0), **settings)


class Holes:
    """What is missing of a datagram, by RFC 815 §3: at first a hole from 0 to infinity."""

    def __init__(self):
        self.holes, self.taken, self.size = [(0, float("inf"))], [], None

    def put(self, offset: int, end: int, more: bool) -> str | None:
        """Takes a fragment in, or says why it cannot be one more."""
        if self.taken and self.taken[-1] == (offset, end, more):
            return "repeat"
        if any(first < end and offset < last for first, last, _ in self.taken):
            return "overlap"
        hole = next(((first, last) for first, last in self.holes if first <= offset and end <= last), None)
        if hole is None or self.size is not None and not more or not more and any(
                last > end for _, last, _ in self.taken):
            return "end"
        holes = [other for other in self.holes if other != hole]
        holes += [(hole[0], offset)] if hole[0] < offset else []
        holes += [(end, hole[1])] if end < hole[1] else []
        if not more:
            holes = [(first, last) for first, last in holes if last != float("inf")]
        # Runs of what has come, as they would stand then.
        spans = sorted((first, -(-last // 8) * 8) for first, last, _ in [*self.taken, (offset, end, more)])
        runs = sum(1 for at, (first, _) in enumerate(spans) if at == 0 or spans[at - 1][1] != first)
        if runs > SPANS_MAX:
            return "scattered"
        self.holes = holes
        self.taken.append((offset, end, more))
        self.size = end if not more else self.size
        return None

    def is_whole(self) -> bool:
        """Nothing is missing."""
        return not self.holes


def reassembled(fragments: list[tuple[Piece, bytes]]) -> bytes | None:
    """What a receiver makes of the fragments of a datagram: its payload, or nothing (RFC 815, RFC 5722 §3)."""
    holes, content = Holes(), {}
    for piece, payload in fragments:
        fault = holes.put(piece.offset, piece.end, piece.more)
        if fault == "repeat":
            continue
        if fault:
            return None
        content[piece.offset] = payload
    return b"".join(content[offset] for offset in sorted(content)) if holes.is_whole() else None


@dataclass
class Datagram:
    """One whose fragments come."""

    since: int
    met: int
    holes: Holes = field(default_factory=Holes)
    target: tuple | None = None
    refused: str | None = None
    waiting: list = field(default_factory=list)

    def waits(self) -> bool:
        """For its first."""
        return self.target is None and self.refused is None


FAULTS = {"overlap": "drop.fragment_overlap", "scattered": "drop.fragment_scattered"}


class Fragments:
    """A worker's datagrams, without a limit to their number."""

    def __init__(self, balancer):
        self.balancer, self.datagrams, self.tick = balancer, {}, 0

    @property
    def counters(self) -> Counter:
        """The balancer's."""
        return self.balancer.counters

    def advance(self, tick: int) -> None:
        """Whoever has waited for a second waits no more."""
        self.tick = tick
        for datagram in list(self.datagrams.values()):
            if datagram.waits() and tick - datagram.since >= WAIT:
                self.refuse(datagram, "drop.fragment_timeout")

    def end(self) -> None:
        """Nobody waits any more."""
        for datagram in list(self.datagrams.values()):
            if datagram.waits():
                self.refuse(datagram, "drop.fragment_timeout")

    def refuse(self, datagram: Datagram, reason: str) -> None:
        """All of it is dropped."""
        datagram.refused = reason
        for _ in datagram.waiting:
            self.counters.update({"released": 1, reason: 1})
        datagram.waiting = []

    def open(self, key: tuple, is_first: bool) -> Datagram:
        """The datagram of that name: a new one where the last is long over."""
        found = self.datagrams.get(key)
        if found and not found.waits():
            idle = self.tick - found.met
            if idle >= IDLE or is_first and idle >= ANEW:
                found = None
        if found is None:
            found = self.datagrams[key] = Datagram(self.tick, self.tick)
        return found

    def meet(self, whole: bytes, packet) -> tuple | None:
        """Where the fragment goes: the real, the flow and the service; `None` if it waits. Or a verdict is raised."""
        piece, refuse = packet.piece, self.balancer.refuse
        refuse(piece.kind == "other", "drop.fragment")
        has_ports = packet.protocol in (TCP, UDP)
        refuse(packet.version == 4 and not has_ports and not self.balancer.is_served(packet), "drop.protocol")
        refuse(not piece.is_sound(), "drop.malformed")
        key = (packet.src, packet.dst, packet.protocol if packet.version == 4 else None, piece.identification)
        datagram = self.open(key, piece.kind == "first")
        refuse(datagram.refused is not None, datagram.refused or "")
        if piece.kind == "short":
            datagram.met = self.tick
            self.refuse(datagram, "drop.fragment_short")
            refuse(True, "drop.fragment_short")
        fault = datagram.holes.put(piece.offset, piece.end, piece.more)
        refuse(fault == "repeat", "drop.fragment_overlap")
        refuse(fault == "end", "drop.malformed")
        # What is dropped by itself makes no datagram younger.
        datagram.met = self.tick
        if fault:
            self.refuse(datagram, FAULTS[fault])
            refuse(True, FAULTS[fault])
        if datagram.target is None and piece.kind == "later":
            full = len(datagram.waiting) == WAITING_MAX
            if full or sum(len(other.waiting) for other in self.datagrams.values()) == SHELF_MAX:
                self.refuse(datagram, "drop.fragment_full")
                refuse(True, "drop.fragment_full")
            self.counters["held"] += 1
            datagram.waiting.append((self.balancer.at, whole, packet, self.balancer.ttl, self.balancer.label))
            return None
        if datagram.target is None:
            self.first(datagram, whole, packet)
        if datagram.holes.is_whole():
            del self.datagrams[key]
        return datagram

    def first(self, datagram: Datagram, whole: bytes, packet) -> None:
        """The first names the flow; a verdict on it is all the others' too."""
        try:
            datagram.target = self.balancer.whole_flow(whole, packet)
        except Exception as verdict:
            if not hasattr(verdict, "told"):
                raise
            reason = "drop.protocol" if packet.protocol not in (TCP, UDP) else str(verdict)
            self.refuse(datagram, reason)
            self.balancer.refuse(True, reason)

    def release(self, datagram: Datagram) -> None:
        """Those that waited follow the first, which has just left."""
        waiting, datagram.waiting = datagram.waiting, []
        for at, whole, packet, self.balancer.ttl, self.balancer.label in waiting:
            self.counters["released"] += 1
            self.balancer.settle(at, lambda whole=whole, packet=packet: self.follow(whole, packet, datagram))

    def follow(self, whole: bytes, packet, datagram: Datagram) -> bytes:
        """One of them."""
        real, service, rule = datagram.target
        out = self.balancer.send(whole, packet, real, bare(packet), service, rule)
        self.counters["fragment.followed"] += 1
        return out


def bare(packet) -> Flow:
    """What a fragment shows of its flow to whatever spreads tunnels: no ports, so that all go one way."""
    return Flow(packet.src, packet.dst, 0, 0, packet.protocol)
