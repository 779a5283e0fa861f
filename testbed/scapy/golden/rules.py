"""Pattern rules, asked one after the other, of the configuration's own words and the frame's own bytes."""

import ipaddress
import struct
from dataclasses import dataclass

PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58, "gre": 47, "esp": 50, "ah": 51, "sctp": 132}
FLAGS = ("fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr")


@dataclass
class Seen:
    """What a rule sees: addresses and protocol; ports or an SPI where there are any; the frame and where its headers and its
    end are, or no frame where only the flow is known."""

    src: str
    dst: str
    protocol: int
    ports: tuple[int, int] | None = None
    spi: int | None = None
    frame: bytes = b""
    network: int | None = None
    transport: int | None = None
    end: int = 0


def listed(value: str | list) -> list:
    """A list of one or more."""
    return value if isinstance(value, list) else [value]


def within(written: int | str, value: int) -> bool:
    """Whether a number is in a range with both ends in it."""
    first, _, last = str(written).partition("-")
    return int(first) <= value <= int(last or first)


def covers(written: str | list, address: str) -> bool:
    """Whether any prefix holds the address; one of the other family does not."""
    return any(ipaddress.ip_address(address) in ipaddress.ip_network(prefix) for prefix in listed(written))


def ported(seen: Seen, place: int, written: int | str) -> bool:
    """Whether a port of TCP or UDP is in a range."""
    return seen.ports is not None and (written == "any" or within(written, seen.ports[place]))


def dscp(seen: Seen) -> int:
    """RFC 2474 §3: the upper six bits of the traffic class."""
    (word,) = struct.unpack_from("!H", seen.frame, seen.network)
    return (word & 0xFF if word >> 12 == 4 else word >> 4 & 0xFF) >> 2


def vlan(seen: Seen, written: int | str) -> bool:
    """The outermost tag's VLAN, if it is any (IEEE 802.1Q §9.6)."""
    kind, tag = struct.unpack_from("!HH", seen.frame, 12)
    found = tag & 0xFFF if kind in (0x8100, 0x88A8) else 0
    return found == 0 if written == "none" else found != 0 and within(written, found)


def flagged(seen: Seen, written: str) -> bool:
    """TCP flags (RFC 9293 §3.1)."""
    if seen.protocol != 6 or seen.transport is None:
        return False
    flags = seen.frame[seen.transport + 13]
    return all(bool(flags >> FLAGS.index(name.lstrip("!")) & 1) != name.startswith("!") for name in written.split())


def masked(seen: Seen, place: dict) -> bool:
    """Bytes under a mask, if the packet has them."""
    base, _, offset = place["at"].partition("+")
    start, mask = getattr(seen, base), int(place["mask"], 16)
    if start is None:
        return False
    start, size = start + int(offset), len(place["mask"]) // 2
    while not mask & 0xFF:
        mask, size = mask >> 8, size - 1
    value = int(place["value"][:2 * size], 16)
    return start + size <= seen.end and int.from_bytes(seen.frame[start:start + size], "big") & mask == value


TESTS = {
    "source": lambda seen, written: covers(written, seen.src),
    "destination": lambda seen, written: covers(written, seen.dst),
    "protocol": lambda seen, written: PROTOCOLS.get(written, written) == seen.protocol,
    "source_ports": lambda seen, written: ported(seen, 0, written),
    "ports": lambda seen, written: ported(seen, 1, written),
    "spi": lambda seen, written: seen.spi is not None and within(written, seen.spi),
    "dscp": lambda seen, written: seen.network is not None and within(written, dscp(seen)),
    "vlan": lambda seen, written: seen.network is not None and vlan(seen, written),
    "tcp_flags": flagged,
    "bytes": lambda seen, written: all(masked(seen, place) for place in written),
}


def of_packets(rules: list) -> bool:
    """Whether any rule is about more than what a flow's packets have in common."""
    return any(key in rule for rule in rules for key in ("dscp", "vlan", "tcp_flags", "bytes", "mark", "limit"))


def first(rules: list, seen: Seen) -> dict | None:
    """The rule that decides: of those that match the one of largest priority, then of the first name."""
    order = sorted(rules, key=lambda rule: (-rule.get("priority", 100), rule["name"]))
    return next((rule for rule in order
                 if all(test(seen, rule[key]) for key, test in TESTS.items() if key in rule)), None)
