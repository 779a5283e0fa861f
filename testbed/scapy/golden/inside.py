"""Errors from inside of our tunnels, read and told once more: RFC 2003 §4, RFC 2473 §8, RFC 1191 §4 to §7."""

import ipaddress
import struct

from scapy.layers.inet6 import IPv6, in6_chksum
from scapy.utils import checksum

from . import keys
from .frames import IPV4, IPV6, Flow
from .selection import Door, end_of
from .outputs import PORTS, unreachable
from .outputs import too_big as too_big_told

TICKS_PER_SECOND, TICKS_KEPT = 8, 4800
LEAST = {4: 576, 6: 1280}
UNPROVEN = 1280
FRAGMENT = 44
PLATEAUS = (4352, 2002, 1492, 1006)
SIZES = {"ipip": 0, "gre": 4, "fou": 8, "gue": 12, "vxlan": 30}


def tick(seconds: float) -> int:
    """Eighths of a second."""
    return int(seconds * TICKS_PER_SECOND)


class PathMtus:
    """What was learnt of ways to reals, by their addresses: it holds from the next tick on, for ten minutes."""

    def __init__(self):
        self.known: dict[str | Door, tuple[int, int, int]] = {}

    def learn(self, real: str | Door, mtu: int, now: float) -> None:
        """A smaller MTU, or one that is known for longer."""
        before, since, until = self.known.get(real, (mtu, tick(now), 0))
        if until <= tick(now):
            before, since = mtu, tick(now)
        self.known[real] = min(mtu, before), since if mtu >= before else tick(now), tick(now) + TICKS_KEPT

    def of(self, real: str | Door, mtu: int, now: float) -> int:
        """What a real's packets may have."""
        learnt, since, until = self.known.get(real, (mtu, 0, 0))
        return min(mtu, learnt) if since < tick(now) < until else mtu


def outer_of(real: dict) -> int:
    """Bytes of the headers that a packet to a real travels in."""
    if real.get("encap") == "mac":
        return 0
    size = SIZES[real.get("encap", "ipip")] + (4 if real.get("encap") == "gre" and "tunnel_key" in real else 0)
    return size + (40 if ":" in real["address"] else 20)


def quoted_flow(quote: bytes) -> tuple[Flow, bool] | None:
    """The flow of a client's packet of which so much is quoted, and whether it may not be fragmented on its way."""
    version = (quote[:1] or b"\0")[0] >> 4
    size = (quote[0] & 15) * 4 if version == 4 else 40
    if version not in (4, 6) or size < 20 or len(quote) < size:
        return None
    if version == 4:
        (field,) = struct.unpack_from("!H", quote, 6)
        protocol, sides, fixed, later = quote[9], (quote[12:16], quote[16:20]), bool(field & 0x4000), field & 0x1FFF
    else:
        protocol, sides, fixed, later = quote[6], (quote[8:24], quote[24:40]), True, 0
        if protocol == FRAGMENT:
            if len(quote) < 48:
                return None
            protocol, size, later = quote[40], 48, struct.unpack_from("!H", quote, 42)[0] & 0xFFF8
    ports = keys.ends(protocol, quote[size:])
    if later or protocol in (1, 58) or ports is None:
        return None
    source, destination = (str(ipaddress.ip_address(side)) for side in sides)
    return Flow(source, destination, *ports, protocol), fixed


def served(model, flow: Flow, real: str | Door) -> dict | None:
    """The service of a flow that is known and has the real."""
    known = model.alive(flow) if model.is_vip(flow.dst) else None
    return model.served[flow] if known and known[0] == real else None


def leads_to(real: dict, protocol: int, behind: bytes) -> bool:
    """Whether a tunnel leads to the real, by what is quoted behind its outer IP header."""
    encap, key = real.get("encap", "ipip"), real.get("tunnel_key")
    if encap in PORTS:
        port = int.from_bytes(behind[2:4], "big") if len(behind) >= 8 else None
        if protocol != 17 or port != real.get("tunnel_port", PORTS[encap]):
            return False
        network = behind[12:15] in (b"", (key or 0).to_bytes(3, "big")) or len(behind) < 16
        same_mac = len(behind) < 22 or behind[16:22].hex(":") == real.get("inner_mac", "").lower()
        return encap != "vxlan" or network and same_mac
    if encap == "gre":
        same = not behind or bool(behind[0] & 0x20) == (key is not None)
        return protocol == 47 and same and (key is None or len(behind) < 8 or behind[4:8] == key.to_bytes(4, "big"))
    return encap == "ipip" and protocol in (4, 41)


def read(model, packet) -> tuple[dict, int | None, bytes] | None:
    """The real that an error is about, the MTU it tells, and what it quotes of the client's packet."""
    four, raw = packet.version == 4, packet.payload
    own = any(ipaddress.ip_address(packet.dst) in net for net in model.ends.own)
    if packet.fragment or not own or packet.protocol != (1 if four else 58) or len(raw) < 8:
        return None
    if raw[0] not in ((3, 11, 12) if four else (1, 2, 3, 4)) or packet.from_nobody:
        return None
    if (checksum(raw) if four else in6_chksum(58, IPv6(src=packet.src, dst=packet.dst), raw)) != 0:
        return None
    quote, size = raw[8:], 20 if four else 40
    if len(quote) < size or quote[0] != 0x45 and (four or quote[0] >> 4 != 6):
        return None
    if four and struct.unpack_from("!H", quote, 6)[0] & 0x1FFF:
        return None
    ends = (quote[12:16], quote[16:20]) if four else (quote[8:24], quote[24:40])
    source, destination = (str(ipaddress.ip_address(end)) for end in ends)
    protocol = quote[9] if four else quote[6]
    there = [real for real in model.by_name.values() if real["address"] == destination]
    there = [real for real in there if leads_to(real, protocol, quote[size:])]
    if source != packet.dst or len(there) != 1:
        return None
    real = there[0]
    mtu = None
    if four and tuple(raw[:2]) == (3, 4):
        total, mtu = struct.unpack_from("!H", quote, 2)[0], struct.unpack_from("!H", raw, 6)[0]
        mtu = mtu or next((plateau for plateau in PLATEAUS if plateau < total), 0)
    elif not four and raw[0] == 2:
        mtu = min(struct.unpack_from("!I", raw, 4)[0], 65535)
        if mtu < LEAST[6]:
            return None
    return real, mtu if mtu is None else max(mtu, LEAST[packet.version]), quote[outer_of(real):]


def told(model, frame: bytes, packet) -> bytes | None:
    """What the client is told for such an error; what there is to learn is learnt."""
    found = read(model, packet)
    if found is None:
        return None
    real, mtu, inner = found
    before = model.path_mtus.of(end_of(real), model.tunnel["mtu"], model.now)
    quoted = quoted_flow(inner)
    service = quoted and served(model, quoted[0], end_of(real))
    # What shows no flow is believed less, and what shows a wrong one not at all (RFC 5927 §7).
    lesson = mtu and (max(mtu, UNPROVEN) if quoted is None else service and mtu)
    if lesson and lesson < before:
        known = model.path_mtus.known.get(end_of(real))
        model.counters["path_mtu.learnt"] += int(not known or known[2] <= tick(model.now) or lesson < known[0])
        model.path_mtus.learn(end_of(real), lesson, model.now)
    if service is None:
        model.counters["icmp.untranslatable"] += 1
        return None
    if mtu is not None and not quoted[1]:
        return None
    six = inner[0] >> 4 == 6
    at = 12
    while frame[at:at + 2] in (b"\x81\0", b"\x88\xa8"):
        at += 4
    link = frame[:at] + struct.pack("!H", IPV6 if six else IPV4)
    model.counters["icmp.translated"] += 1
    if mtu is None:
        return unreachable(link + inner)
    fits = min(mtu, before) - outer_of(real)
    return too_big_told(link + inner, max(fits, 1280) if six else fits)
