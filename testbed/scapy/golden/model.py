"""The whole packet path once more, in the plainest way: for captures too long to say packet by packet what
must come out, and to hold the cases' counters to.

Written from the rules that the cases state. The flow table is a dictionary without a limit, beside which stand
the buckets where a case configures their key; of the sweep it knows only that it comes round once a minute.
"""

import ipaddress
import struct
from collections import Counter
from dataclasses import dataclass

from scapy.layers.inet6 import IPv6, in6_chksum
from scapy.utils import checksum

from . import inside, keys, marks, quic, rules, tunnels
from .fragments import TICKS_A_SECOND, Fragments, Piece, bare
from .frames import IPV4, IPV6, TAGS, Flow, patched
from .meter import GREEN, RED, Meter
from .neighbours import answered
from .outputs import Inner, echo_answer, ipip, mac_rewrite, split, too_big, tunnelled
from .room import Full, Room
from .selection import Door, Pool, end_of

EXTENSIONS_MAX, EXTENSION_BYTES_MAX = 8, 256
SWEEP_S = 60
TCP, UDP = 6, 17
L4_BYTES = {TCP: 20, UDP: 8, 1: 8, 58: 8}


class Verdict(Exception):
    """Why a packet leaves by drop or punt: the counter's name, and what its sender is told, if anything."""

    told: bytes | None = None


@dataclass
class Packet:
    """What was read of a frame's IP packet."""

    version: int
    src: str
    dst: str
    size: int
    protocol: int
    payload: bytes
    piece: Piece | None
    from_nobody: bool

    @property
    def fragment(self) -> bool:
        """Whether it is one."""
        return self.piece is not None


def refuse(condition: bool, verdict: str) -> None:
    """Raises the verdict if the condition holds."""
    if condition:
        raise Verdict(verdict)


def parse(frame: bytes) -> Packet:
    """The frame's headers, down to the transport's, or the verdict on them."""
    at = 12
    while True:
        refuse(len(frame) < at + 2, "drop.truncated")
        (ethertype,) = struct.unpack_from("!H", frame, at)
        if ethertype not in TAGS:
            break
        refuse(at == 20, "punt.not_ip")
        refuse(len(frame) < at + 4, "drop.truncated")
        at += 4
    refuse(ethertype not in (IPV4, IPV6), "punt.not_ip")
    packet = (parse4 if ethertype == IPV4 else parse6)(frame[at + 2:])
    if packet.piece is None:
        check_transport(packet)
    else:
        check_piece(packet)
    return packet


def sound(frame: bytes) -> Packet | None:
    """The same, or nothing where it has a verdict."""
    try:
        return parse(frame)
    except Verdict:
        return None


def parse4(raw: bytes) -> Packet:
    """RFC 791 §3.1, RFC 1812 §5.2.2 and §5.3.7."""
    refuse(len(raw) < 20, "drop.truncated")
    head, (size, identification, fragment) = (raw[0] & 15) * 4, struct.unpack_from("!HHH", raw, 2)
    refuse(raw[0] >> 4 != 4 or head < 20 or size < head, "drop.malformed")
    refuse(size > len(raw), "drop.truncated")
    refuse(checksum(raw[:head]) != 0, "drop.bad_checksum")
    source = ipaddress.ip_address(raw[12:16])
    nobody = source.is_multicast or source.is_loopback or raw[12] == 0 or raw[12:16] == b"\xff" * 4
    destination = str(ipaddress.ip_address(raw[16:20]))
    offset, more = (fragment & 0x1FFF) * 8, bool(fragment & 0x2000)
    kind = "later" if offset else "first"
    piece = Piece(kind, identification, offset, offset + size - head, more, head) if fragment & 0x3FFF else None
    return Packet(4, str(source), destination, size, raw[9], raw[head:size], piece, nobody)


def parse6(raw: bytes) -> Packet:
    """RFC 8200 §3 and §4, with the walk bounded."""
    refuse(len(raw) < 40, "drop.truncated")
    refuse(raw[0] >> 4 != 6, "drop.malformed")
    size = 40 + struct.unpack_from("!H", raw, 4)[0]
    refuse(size > len(raw), "drop.truncated")
    source, destination = (ipaddress.ip_address(raw[at:at + 16]) for at in (8, 24))
    nobody = source.is_multicast or source.is_loopback or source.is_unspecified
    following, at, count, piece, atomic = raw[6], 40, 0, None, False
    while following in (0, 43, 44, 60) and not (piece and piece.kind != "first"):
        refuse(count == EXTENSIONS_MAX, "drop.header_chain")
        length = 8 if following == 44 or at + 2 > size else 8 + 8 * raw[at + 1]
        if at + max(length, 8) > size and piece:
            # The chain goes on in the next fragment (RFC 7112 §5).
            piece.kind = "short"
            break
        refuse(at + 8 > size, "drop.truncated")
        refuse(at + length - 40 > EXTENSION_BYTES_MAX, "drop.header_chain")
        refuse(at + length > size, "drop.truncated")
        if following == 44 and (piece or atomic):
            piece = piece or Piece("other", 0, 0, 0, False, 0)
            piece.kind = "other"
        elif following == 44:
            part, identification = struct.unpack_from("!HI", raw, at + 2)
            offset, atomic = part & 0xFFF8, part & 0xFFF9 == 0
            if not atomic:
                kind = "later" if offset else "first"
                piece = Piece(kind, identification, offset, offset + size - at - 8, bool(part & 1), at - 40)
        following, at, count = raw[at], at + length, count + 1
    return Packet(6, str(source), str(destination), size, following, raw[at:size], piece, nobody)


def check_piece(packet: Packet) -> None:
    """A message is never followed; a first fragment without its whole transport header is short (RFC 7112 §5)."""
    kind, raw, piece = packet.protocol, packet.payload, packet.piece
    if kind == (1 if packet.version == 4 else 58) and piece.kind in ("first", "later"):
        piece.kind = "other"
    if piece.kind != "first" or kind not in (TCP, UDP):
        return
    if len(raw) < L4_BYTES[kind]:
        piece.kind = "short"
    elif kind == TCP:
        size = (raw[12] >> 4) * 4
        refuse(size < 20, "drop.malformed")
        piece.kind = "short" if size > len(raw) else "first"
    else:
        refuse(struct.unpack_from("!H", raw, 4)[0] < 8, "drop.malformed")


def check_transport(packet: Packet) -> None:
    """RFC 9293 §3.1, RFC 768, RFC 792: the fixed header is there and its lengths fit."""
    kind, raw = packet.protocol, packet.payload
    if kind == (58 if packet.version == 4 else 1):
        return
    refuse(keys.fault(kind, raw), "drop.malformed")
    refuse(len(raw) < L4_BYTES.get(kind, 0), "drop.truncated")
    if kind == TCP:
        refuse(not 20 <= (raw[12] >> 4) * 4 <= len(raw), "drop.malformed")
    elif kind == UDP:
        refuse(not 8 <= struct.unpack_from("!H", raw, 4)[0] <= len(raw), "drop.malformed")


def is_error(packet: Packet) -> bool:
    """Whether it is an ICMP error."""
    if packet.fragment or packet.protocol != (1 if packet.version == 4 else 58):
        return False
    return packet.payload[0] in ((3, 11, 12) if packet.version == 4 else (1, 2, 3, 4))


def quoted(packet: Packet) -> Flow:
    """The flow, in the client's direction, that an ICMP error is about."""
    raw = packet.payload[8:]
    head = (raw[:1] or b"\0")[0]
    size = (head & 15) * 4 if packet.version == 4 else 40
    refuse(head >> 4 != packet.version or size < 20 or len(raw) < size, "drop.icmp_quote")
    if packet.version == 4:
        protocol, source, destination = raw[9], raw[12:16], raw[16:20]
        refuse(bool(struct.unpack_from("!H", raw, 6)[0] & 0x1FFF), "drop.icmp_quote")
    else:
        protocol, source, destination = raw[6], raw[8:24], raw[24:40]
        if protocol == 44:
            refuse(len(raw) < 48 or bool(struct.unpack_from("!H", raw, 42)[0] & 0xFFF8), "drop.icmp_quote")
            protocol, size = raw[40], 48
    ends = keys.ends(protocol, raw[size:])
    refuse(protocol in (1, 58) or ends is None or str(ipaddress.ip_address(source)) != packet.dst, "drop.icmp_quote")
    dport, sport = ends
    return Flow(str(ipaddress.ip_address(destination)), packet.dst, sport, dport, protocol)


def answered_flow(packet: Packet) -> Flow:
    """The flow, in the client's direction, that a packet from a server answers, or that its error is about."""
    refuse(packet.fragment, "punt.not_vip")
    if packet.protocol == (1 if packet.version == 4 else 58):
        refuse(packet.payload[0] not in ((3, 11, 12) if packet.version == 4 else (1, 2, 3, 4)), "punt.not_vip")
        said = quoted(packet)
        return Flow(said.dst, said.src, said.dport, said.sport, said.protocol)
    sport, dport = keys.ends(packet.protocol, packet.payload)
    return Flow(packet.dst, packet.src, dport, sport, packet.protocol)


class Balancer:
    """One worker with its configuration, flows and counters."""

    def __init__(self, config: dict):
        self.tunnel = {"hop_limit": 64, "dont_fragment": "inherit", "mtu": 1500} | config.get("tunnel", {})
        self.mac = config.get("node", {}).get("mac", "02:00:00:00:00:01")
        self.via_slr = config.get("node", {}).get("return_path") == "via-slr"
        flow, select = config.get("flow", {}), config.get("select", {})
        self.seed, self.slots = select.get("seed", "0" * 32), select.get("slots", 65_537)
        defaults = {"embryonic": 10, "established": 900, "closing": 10, "udp": 60}
        self.timeouts = {state: flow.get(f"{'syn' if state == 'embryonic' else state}_timeout_s", seconds)
                         for state, seconds in defaults.items()}
        self.gate, self.tokens = flow.get("new_flows_per_second_max"), flow.get("new_flows_per_second_max")
        self.reals = {end_of(real): real for real in config["real"]}
        self.pools = {pool["name"]: self.pool(config, pool) for pool in config["pool"]}
        self.services = [(ipaddress.ip_network(service["vip"]), *ports(service.get("ports", "any")), service)
                         for service in config["service"]]
        by_name = {real["name"]: real for real in config["real"]}
        self.quic = {service["name"]: quic.Servers(service["quic"], config["quic"], by_name)
                     for service in config["service"] if "quic" in service}
        self.ends, self.ttl, self.path_mtus = tunnels.Ends(config), None, inside.PathMtus()
        self.pools_said = config["pool"]
        self.rules, self.by_name = config.get("rule", []), by_name
        self.served: dict[Flow, dict] = {}
        named = {kind: {table["name"]: table for table in config.get(kind, [])} for kind in ("mark", "limit")}
        # Who asks for a mark or a limit: services and rules, each with pots of its own.
        asking = {(kind, table["name"]): table for kind in ("service", "rule") for table in config.get(kind, [])}
        self.marks = {asker: named["mark"][table["mark"]] for asker, table in asking.items() if "mark" in table}
        self.meters = {asker: Meter(named["limit"][table["limit"]])
                       for asker, table in asking.items() if "limit" in table}
        self.opens = any("swap_label" in mark or mark.get("pop_labels") for mark in self.marks.values())
        self.label, self.began = None, None
        # Clients of services that are keyed by source stand among the flows.
        self.flows: dict[Flow | tuple, list] = {}
        self.room = Room(flow["key"], flow["entries"]) if "key" in flow else None
        self.counters, self.tallies, self.now, self.identification = Counter(), Counter(), 0, 0
        self.fragments, self.refuse, self.start = Fragments(self), refuse, None
        # What goes out for each packet, and which is being decided.
        self.outs, self.at = [], 0

    def sweep(self) -> None:
        """Takes out what must have been swept by now."""
        swept = [flow for flow, (_, state, seen, *_) in self.flows.items()
                 if self.now - seen > self.timeouts[state] + SWEEP_S]
        for flow in swept:
            self.forget(flow)
        self.counters["flow.expire"] += len(swept)

    def forget(self, flow: Flow) -> None:
        """The flow is out of the table."""
        del self.flows[flow]
        if self.room:
            self.room.forget(flow)

    def moved(self) -> dict[str, int]:
        """The counters that moved."""
        return {name: value for name, value in self.counters.items() if value}

    def pool(self, config: dict, pool: dict) -> Pool | None:
        """The pool's table, of the members that may be chosen."""
        by_name = {real["name"]: real for real in config["real"]}
        states, members = {}, []
        for member in pool["members"]:
            real, weight = by_name[member["real"]], member.get("weight", 100)
            state = real.get("state", "up")
            states[state] = states.get(state, 0) + weight
            members.append((end_of(real), state, weight))
        up, failed = states.get("up", 0), states.get("failed", 0)
        panics = up + failed > 0 and up * 100 // (up + failed) < pool.get("panic_percent", 0)
        taking = ("up", "failed") if panics else ("up",)
        weights = {real: weight for real, state, weight in members if state in taking}
        if not any(weights.values()):
            return None
        return Pool(weights, pool.get("slots", self.slots), self.seed, pool.get("policy", "maglev"))

    def service(self, flow: Flow, about: bool = False) -> dict:
        """Longest prefix, then its own protocol, then narrowest range; `about` a packet that an error quotes."""
        address = ipaddress.ip_address(flow.dst)
        found = [(-net.prefixlen, service["protocol"] == "any", last - first, service["name"], service) for net, first, last, service in self.services
                 if address in net and first <= flow.dport <= last and keys.serves(service, flow.protocol)]
        refuse(flow.protocol == 255, "drop.protocol")
        refuse(not found, "drop.no_service" if about or flow.protocol in keys.WITH_PORTS else "drop.protocol")
        return min(found)[-1]

    def packet(self, seconds: float, frame: bytes) -> None:
        """A frame comes; everything is counted. What goes out for it stands in `outs`, when it has gone."""
        before, self.now = self.now, max(seconds, self.now)
        self.began = seconds if self.began is None else self.began
        self.start = self.now if self.start is None else self.start
        self.fragments.advance(int((self.now - self.start) * TICKS_A_SECOND * 1_000_000 + 0.5) // 1_000_000)
        if self.gate:
            self.tokens = min(self.gate, self.tokens + (self.now - before) * self.gate)
        if int(self.now) > int(before):
            self.sweep()
        self.counters.update({"rx": 1, "rx.bytes": len(frame)})
        self.at = len(self.outs)
        self.outs.append(None)
        self.settle(self.at, lambda: self.answer(frame))

    def answer(self, frame: bytes) -> bytes | None:
        """What goes out for a frame now, if it does not wait."""
        frame = self.open(frame)
        frame, self.ttl = self.ends.open(frame, sound, self.counters)
        frame = self.clamped(frame)
        if (answer := answered(frame, self.is_vip, self.mac)) is not None:
            counter, out = answer
            self.counters[counter] += 1
            return out
        return self.decide(frame, parse(frame))

    def settle(self, at: int, decided) -> None:
        """What goes out for the packet at that place: as decided, or what its sender is told."""
        try:
            out = decided()
        except tunnels.Refused as refused:
            self.counters[str(refused)] += 1
            return
        except Verdict as verdict:
            self.counters[str(verdict)] += 1
            if verdict.told is None:
                return
            out = verdict.told
            self.counters.update({"made": 1, "too_big.answered": 1})
        if out is not None:
            self.outs[at] = out
            self.counters.update({"tx": 1, "tx.bytes": len(out)})

    def end(self) -> list[bytes | None]:
        """No more comes: what went out for each packet."""
        self.fragments.end()
        return self.outs

    def open(self, frame: bytes) -> bytes:
        """The frame without the labels that it came with, where a service takes them."""
        self.label = None
        if not self.opens:
            return frame
        ends = {end["address"] for end in self.ends.ends}
        frame, self.label = marks.opened(frame, lambda address: address in ends or self.is_vip(address))
        if self.label is not None:
            refuse(self.label.ttl <= 1, "drop.label_ttl")
            self.counters["labels.popped"] += 1
        return frame

    def mark(self, packet: Packet, tos: int, service: dict, rule: dict | None) -> dict:
        """How a packet is marked, once its limit has let it through: each as its rule has it, or else its service."""
        if rule and ("mark" in rule or "limit" in rule):
            self.tally(rule, packet)
        askers = [("rule", rule["name"])] if rule else []
        askers.append(("service", service["name"]))
        mark = next((self.marks[asker] for asker in askers if asker in self.marks), {})
        meter = next((self.meters[asker] for asker in askers if asker in self.meters), None)
        if meter is None:
            return mark
        colour = meter.colour(int((self.now - self.began) * 8), packet.size, tos >> 2)
        if colour == GREEN:
            return mark
        self.counters[f"meter.{colour}"] += 1
        refuse(colour == RED and "red_dscp" not in meter.limit, "drop.limited")
        told = meter.limit.get(f"{colour}_dscp")
        return mark if told is None else mark | {"dscp": told}

    def is_vip(self, address: str) -> bool:
        """Whether a service has the address, on any protocol and port."""
        return any(ipaddress.ip_address(address) in net for net, *_ in self.services)

    def decide(self, frame: bytes, packet: Packet) -> bytes:
        """The frame to send."""
        if (told := inside.told(self, frame, packet)) is not None:
            return self.translated(told)
        if not self.is_vip(packet.dst):
            self.pass_on(frame, packet)
        refuse(bool(frame[0] & 1), "drop.link_broadcast")
        six = packet.version == 6 and packet.protocol == 58 and not packet.fragment
        discovery = six and 133 <= packet.payload[0] <= 137
        refuse(packet.from_nobody and not discovery, "drop.bad_source")
        if packet.fragment or packet.protocol not in (TCP, UDP) and not discovery and not is_error(packet):
            self.rule(frame, packet, None)
        if packet.piece:
            return self.piece(frame, packet)
        if packet.protocol == (1 if packet.version == 4 else 58):
            return self.icmp(frame, packet)
        flow = Flow(packet.src, packet.dst, *keys.ends(packet.protocol, packet.payload), packet.protocol)
        rule = self.rule(frame, packet, flow)
        real, service = self.target(flow, packet, rule)
        return self.send(frame, packet, real, flow, service, rule)

    def target(self, flow: Flow, packet: Packet, rule: dict | None) -> tuple[str, dict]:
        """The real and the service of a flow: where there are rules it keeps its service until it ends."""
        flags = packet.payload[13] if flow.protocol == TCP else 0
        entry = self.alive(flow)
        is_new = entry is None or entry[1] == "closing" and flags & 0x12 == 0x02
        if self.rules and not is_new:
            service = self.served[flow]
            rule = rule if rule and self.given(rule) is service else None
        else:
            service = self.given(rule) or self.service(flow)
        named = self.named(packet, service)
        if is_new or service["name"] in self.quic:
            self.route(rule, packet)
            self.served[flow] = service
        return self.follow(flow, self.served[flow], flags, named, self.real_given(rule)), self.served[flow]

    def rule(self, frame: bytes, packet: Packet, flow: Flow | None) -> dict | None:
        """The rule that decides about a packet; one that drops it does so here."""
        return self.ruled(self.seen(frame, packet, flow), packet)

    def seen(self, frame: bytes, packet: Packet, flow: Flow | None) -> rules.Seen:
        """What rules see of a packet."""
        network = 14 + len(split(frame)[0])
        end = network + packet.size
        # Of fragments only the first has a transport header, and is asked about as its flow's packet.
        transport = None if packet.fragment and flow is None else end - len(packet.payload)
        ports = (flow.sport, flow.dport) if flow and packet.protocol in (TCP, UDP) else None
        spi = None if packet.fragment else keys.spi(packet.protocol, packet.payload)
        return rules.Seen(packet.src, packet.dst, packet.protocol, ports, spi, frame, network, transport, end)

    def ruled(self, seen: rules.Seen, packet: Packet) -> dict | None:
        """The same of what is seen."""
        rule = rules.first(self.rules, seen)
        if rule and rule.get("drop", False):
            self.tally(rule, packet)
            raise Verdict("drop.rule")
        return rule

    def tally(self, rule: dict, packet: Packet) -> None:
        """A rule has decided about a packet."""
        for unit, value in (("packets", 1), ("bytes", packet.size)):
            self.tallies[f"rule.{rule['name']}", unit] += value

    def route(self, rule: dict | None, packet: Packet) -> None:
        """A rule has given a packet its service. One that marks or limits is counted with each packet."""
        if rule and "service" in rule:
            self.counters["rule.routed"] += 1
            if "mark" not in rule and "limit" not in rule:
                self.tally(rule, packet)

    def given(self, rule: dict | None) -> dict | None:
        """The service that a rule gives, if it gives one."""
        named = rule.get("service") if rule else None
        return next((service for *_, service in self.services if service["name"] == named), None)

    def real_given(self, rule: dict | None) -> str | Door | None:
        """The real that a rule gives, while that takes new flows."""
        real = self.by_name[rule["real"]] if rule and "real" in rule else None
        return end_of(real) if real and real.get("state", "up") == "up" else None

    def piece(self, frame: bytes, packet: Packet) -> bytes | None:
        """A fragment's frame, if it does not wait; then those that waited for it go too."""
        datagram = self.fragments.meet(frame, packet)
        if datagram is None:
            return None
        real, service, rule = datagram.target
        try:
            out = self.send(frame, packet, real, bare(packet), service, rule)
            self.counters["fragment.followed"] += int(packet.piece.kind == "later")
            return out
        finally:
            self.fragments.release(datagram)

    def whole_flow(self, whole: bytes, packet: Packet) -> tuple[str | Door, dict, dict | None]:
        """The real and the service of the flow whose packet's first fragment this is, and the rule that decides."""
        ports = struct.unpack_from("!HH", packet.payload) if packet.protocol in (TCP, UDP) else (0, 0)
        flow = Flow(packet.src, packet.dst, *ports, packet.protocol)
        rule = self.rule(whole, packet, flow if packet.protocol in (TCP, UDP) else None)
        return *self.target(flow, packet, rule), rule

    def is_served(self, packet: Packet) -> bool:
        """Whether a service has the packet's protocol, which has no ports."""
        try:
            self.service(Flow(packet.src, packet.dst, 0, 0, packet.protocol))
        except Verdict:
            return False
        return True

    def clamped(self, frame: bytes) -> bytes:
        """A SYN with a smaller offer, if its service says so (RFC 9293 §3.7.1): whole, or as the first fragment."""
        packet = sound(frame)
        if packet is None or packet.protocol != TCP or packet.piece and packet.piece.kind != "first" \
                or not packet.payload[13] & 2:
            return frame
        sport, dport = struct.unpack_from("!HH", packet.payload)
        if self.is_vip(packet.dst):
            service = self.service_of(Flow(packet.src, packet.dst, sport, dport, TCP), frame, packet)
        elif self.via_slr and self.is_vip(packet.src):
            asked = Flow(packet.dst, packet.src, dport, sport, TCP)
            service = (self.rules and self.alive(asked) and self.served.get(asked)) or self.service_of(asked)
        else:
            return frame
        most = self.most(service) if service else None
        more = [at for at in offers(packet.payload)
                if most is not None and struct.unpack_from("!H", packet.payload, at)[0] > most]
        if not more:
            return frame
        begin = frame.rindex(packet.payload)
        self.counters["mss.clamped"] += 1
        segment = packet.payload
        for at in more:
            segment = patched(segment, at, struct.pack("!H", most))
        return frame[:begin] + resummed(packet, segment) + frame[begin + len(segment):]

    def most(self, service: dict) -> int | None:
        """The largest segment size that a service lets a SYN offer: "auto" is what its narrowest tunnel has room for."""
        if service.get("clamp_mss") != "auto":
            return service.get("clamp_mss")
        pool = next(pool for pool in self.pools_said if pool["name"] == service["pool"])
        names = {member["real"] for member in pool["members"]} | {
            rule["real"] for rule in self.rules if "real" in rule and rule["service"] == service["name"]}
        outer = max(inside.outer_of(self.by_name[name]) for name in names)
        six = ":" in service["vip"] or any(self.brings_v6(rule) for rule in self.rules
                                           if rule.get("service") == service["name"])
        return self.tunnel["mtu"] - outer - (60 if six else 40)

    def brings_v6(self, rule: dict) -> bool:
        """Whether flows of IPv6 may match a rule."""
        vips = any(":" in str(net) for net, *_ in self.services)
        return vips and all(key not in rule or any(":" in prefix for prefix in rules.listed(rule[key]))
                            for key in ("source", "destination"))

    def translated(self, told: bytes) -> bytes:
        """An error that is the client's now; it is a response."""
        if self.via_slr:
            packet = parse(told)
            flow, _ = inside.quoted_flow(packet.payload[8:])
            service = self.served[flow] if self.alive(flow) else self.service_of(flow)
            for unit, value in (("packets", 1), ("bytes", packet.size)):
                self.tallies[f"responses.{service['name']}", unit] += value
            refuse(True, "punt.return")
        return told

    def service_of(self, flow: Flow, frame: bytes = b"", packet: Packet | None = None) -> dict | None:
        """The service of a flow or of its packet, if there is one."""
        try:
            of_flow = rules.Seen(flow.src, flow.dst, flow.protocol, (flow.sport, flow.dport))
            rule = rules.first(self.rules, self.seen(frame, packet, flow) if packet else of_flow)
            if rule and rule.get("drop", False):
                return None
            return self.given(rule) or self.service(flow)
        except Verdict:
            return None

    def named(self, packet: Packet, service: dict) -> str | Door | None:
        """The real that a packet's connection id names, where the service has such ids."""
        if service["name"] not in self.quic or packet.protocol != UDP:
            return None
        (size,) = struct.unpack_from("!H", packet.payload, 4)
        named = self.quic[service["name"]].named(packet.payload[8:size])
        self.counters["quic.routed" if named else "quic.unroutable"] += 1
        return named

    def pass_on(self, frame: bytes, packet: Packet) -> None:
        """The kernel's: where the servers' way out is through us, a response is told apart and counted."""
        refuse(not self.via_slr or bool(frame[0] & 1), "punt.not_vip")
        refuse(packet.fragment and self.is_vip(packet.src), "punt.return")
        try:
            service = self.service(answered_flow(packet))
        except Verdict:
            refuse(True, "punt.not_vip")
        for unit, value in (("packets", 1), ("bytes", packet.size)):
            self.tallies[f"responses.{service['name']}", unit] += value
        refuse(True, "punt.return")

    def icmp(self, frame: bytes, packet: Packet) -> bytes:
        """An answer, an error on its way to a flow's real, or a verdict."""
        kind, four = packet.payload[0], packet.version == 4
        if kind == (8 if four else 128):
            message = packet.payload
            bad = checksum(message) if four else in6_chksum(58, IPv6(src=packet.src, dst=packet.dst), message)
            refuse(bad != 0, "drop.bad_checksum")
            self.counters["echo.answered"] += 1
            return echo_answer(frame)
        refuse(not four and 133 <= kind <= 137, "punt.neighbour_discovery")
        refuse(kind not in ((3, 11, 12) if four else (1, 2, 3, 4)), "drop.icmp_type")
        try:
            flow = quoted(packet)
        except Verdict:
            self.rule(frame, packet, None)
            raise
        # The SPI that it quotes is of the way back.
        ports = (flow.sport, flow.dport) if flow.protocol in (TCP, UDP) else None
        known, seen = self.alive(flow), rules.Seen(flow.src, flow.dst, flow.protocol, ports)
        # Of a flow that is known a rule is asked where all packets are asked about.
        rule = self.ruled(seen, packet) if known is None or rules.of_packets(self.rules) else None
        service = None if known else self.given(rule)
        service = service or self.served.get(flow) or self.service(flow, about=True)
        named = None
        if service["name"] in self.quic:
            raw = packet.payload[8:]
            named = self.quic[service["name"]].sender(raw[((raw[0] & 15) * 4 if four else 40) + 8:])
        real = known[0] if known else named or self.real_given(rule) or self.choose(flow, service)
        self.counters["flow.hit"] += int(known is not None)
        out = self.send(frame, packet, real, flow, service, rule)
        self.counters["icmp.followed"] += 1
        return out

    def alive(self, flow: Flow | tuple) -> list | None:
        """The flow's entry, unless it has been silent for longer than its state allows."""
        entry = self.flows.get(flow)
        return entry if entry and self.now - entry[2] <= self.timeouts[entry[1]] else None

    def choose(self, flow: Flow, service: dict) -> str | Door:
        """The real that a new flow gets."""
        client = keys.client(flow, service)
        if client and (known := self.alive(client)):
            self.counters["flow.affinity"] += 1
            return known[0]
        pool = self.pools[service["pool"]]
        refuse(pool is None, "drop.no_real")
        return pool.choose(keys.chooser(flow, service))

    def keep(self, flow: Flow, service: dict, real: str | Door) -> None:
        """The client of a flow that was there before is entered, or brought up to date."""
        client = keys.client(flow, service)
        if client is None:
            return
        known = self.alive(client)
        if known is None:
            self.counters["flow.expire"] += int(client in self.flows)
            self.counters["flow.insert"] += 1
            self.flows[client] = [real, "established", self.now]
        elif known[0] == real:
            known[2] = self.now

    def follow(self, flow: Flow, service: dict, flags: int, named: str | Door | None,
               given: str | Door | None) -> str | Door:
        """The flow's real, or the one that is named; the flow is put into the table or brought up to date."""
        opens, closes = flags & 0x12 == 0x02, bool(flags & 0x05)
        entry = self.alive(flow)
        if entry is None:
            real = named or given or self.choose(flow, service)
            if self.gate and self.tokens < 1:
                self.counters["flow.stateless_gate"] += 1
                return real
            self.tokens = self.tokens - 1 if self.gate else None
            self.counters["flow.expire"] += int(flow in self.flows)
            if self.room and not self.finds_room(flow):
                self.counters["flow.stateless_full"] += 1
                return real
            self.counters["flow.insert"] += 1
            # Last: nothing but connection ids has said where it goes; its client is entered.
            entry = self.flows[flow] = [real, "embryonic" if opens else "established", self.now, bool(named), False]
        else:
            self.counters["flow.hit"] += 1
            if named not in (None, entry[0]) and not entry[3]:
                return named
            entry[0], entry[3] = named or entry[0], entry[3] and bool(named)
            if not entry[4] and not opens:
                entry[4] = True
                self.keep(flow, service, entry[0])
        if flow.protocol != TCP:
            entry[1] = "udp"
        elif closes:
            entry[1] = "closing"
        elif entry[1] == "closing" and opens:
            entry[1] = "embryonic"
        elif entry[1] == "embryonic" and not opens:
            entry[1] = "established"
        entry[2] = self.now
        return entry[0]

    def finds_room(self, flow: Flow) -> bool:
        """Whether the table's buckets take the flow; whom it displaces is forgotten."""
        def waits_since(holder: Flow) -> float | None:
            _, state, seen, *_ = self.flows[holder]
            return seen if state == "embryonic" else None

        if flow in self.flows:
            self.forget(flow)
        try:
            displaced = self.room.put(flow, lambda holder: self.alive(holder) is None, waits_since)
        except Full:
            return False
        if displaced is not None:
            self.counters["flow.evict" if self.alive(displaced) else "flow.expire"] += 1
            del self.flows[displaced]
        return True

    def send(self, frame: bytes, packet: Packet, end: str | Door, flow: Flow, service: dict, rule: dict | None) -> bytes:
        """The frame as it leaves to a real; it counts for real and service if it does."""
        real = self.reals[end]
        address = real["address"]
        six = ":" in address
        next_hop = real.get("next_hop", self.tunnel.get("next_hop"))
        hop_limit = self.tunnel["hop_limit"] if self.ttl is None else self.ends.left(self.ttl)
        lan = real.get("encap") == "mac"
        raw = split(frame)[2]
        tos = struct.unpack_from("!H", raw)[0] >> (0 if packet.version == 4 else 4) & 0xFF
        mark = self.mark(packet, tos, service, rule)
        encap = real.get("encap", "ipip")
        inner = Inner(encap, real.get("tunnel_key"), real.get("tunnel_port"), real.get("inner_mac"),
                      real.get("udp_checksum", "auto"))
        more = {"gre": 8 if inner.key is not None else 4, "fou": 8, "gue": 12, "vxlan": 30}.get(encap, 0)
        fit(frame, packet, self.path_mtus.of(end, self.tunnel["mtu"], self.now) - (0 if lan else (40 if six else 20) + more))
        for key in (f"real.{real['name']}", f"service.{service['name']}"):
            self.tallies.update({(key, "packets"): 1, (key, "bytes"): packet.size})
        outer_only = mark.get("dscp_on") == "outer"
        kept = frame if outer_only else marks.remarked(frame, mark.get("dscp"))
        if lan:
            return marks.linked(mac_rewrite(kept, next_hop, self.mac), mark, self.label)
        settings = {"source": self.tunnel["source_v6" if six else "source_v4"], "next_hop": next_hop,
                    "node_mac": self.mac, "hop_limit": hop_limit,
                    "dont_fragment": self.tunnel["dont_fragment"], "identification": self.identification, "flow": flow}
        out = tunnelled(kept, address, inner, **settings) if more else ipip(kept, address, **settings)
        # Don't Fragment stands six bytes into the outer header, which the tags push back.
        tags = len(out) - 14 - (40 if six else 20) - more - packet.size
        self.identification += not six and not out[14 + tags + 6] & 0x40
        out = marks.remarked(out, mark.get("dscp")) if outer_only else out
        return marks.linked(out, mark, self.label)


def offers(segment: bytes) -> list[int]:
    """Where a segment's offers of a segment size stand (RFC 9293 §3.2)."""
    at, size, found = 20, (segment[12] >> 4) * 4, []
    while at + 1 < size and segment[at] != 0:
        length = 1 if segment[at] == 1 else segment[at + 1]
        if length < 1 or segment[at] != 1 and length < 2 or at + length > size:
            break
        found += [at + 2] if segment[at] == 2 and length == 4 else []
        at += length
    return found


def resummed(packet: Packet, segment: bytes) -> bytes:
    """The segment with a checksum made anew; a wrong one stays as wrong as it was."""
    def whole(of: bytes) -> int:
        addresses = b"".join(ipaddress.ip_address(end).packed for end in (packet.src, packet.dst))
        return checksum(addresses + struct.pack("!IHH", len(of), 0, TCP) + patched(of, 16, b"\0\0"))
    wrong = struct.unpack_from("!H", packet.payload, 16)[0] - whole(packet.payload)
    return patched(segment, 16, struct.pack("!H", (whole(segment) + wrong) % 0xFFFF))


def fit(frame: bytes, packet: Packet, mtu: int) -> None:
    """Refuses what is larger; its sender is told, if it may not be fragmented, is no error itself, of IPv4 no fragment but
    a first one (RFC 1122 §3.2.2), and is not as small as IPv6 knows (RFC 1191 §4, RFC 4443 §3.2)."""
    if packet.size <= mtu:
        return
    verdict = Verdict("drop.tunnel_mtu")
    mtu = mtu if packet.version == 4 else max(mtu, 1280)
    flags = struct.unpack_from("!H", split(frame)[2], 6)[0]
    kept_whole = packet.version == 6 or bool(flags & 0x4000) and not flags & 0x1FFF
    if packet.protocol not in (1, 58) and kept_whole and packet.size > mtu:
        verdict.told = too_big(frame, mtu)
    raise verdict


def ports(value: int | str) -> tuple[int, int]:
    """First and last port of a service."""
    if value == "any":
        return 0, 65_535
    first, _, last = str(value).partition("-")
    return int(first), int(last or first)
