"""Protocols without ports, and what keeps the flows of a service together: rules that the README states, restated.

ESP (RFC 4303 §2) and AH (RFC 4302 §2) name a security association where others have ports. A service that is keyed by
source sends all that a client does to one real: new flows by the hash of the client's masked address alone, and, once
a flow's second packet has come, where the client is already.
"""

import ipaddress
import struct
from ipaddress import ip_network

from scapy.layers.ipsec import AH, ESP

from .frames import Flow

ESP_NUMBER, AH_NUMBER = 50, 51
NAMES = {"tcp": 6, "udp": 17, "esp": ESP_NUMBER, "ah": AH_NUMBER, "gre": 47, "sctp": 132}
WITH_PORTS = (6, 17)
# ICMP's messages are answered or follow their flow; 255 is reserved.
NOBODYS = (1, 58, 255)


def esp(spi: int = 0x1000, data: bytes = b"something protected") -> ESP:
    """An ESP packet's payload."""
    return ESP(spi=spi, seq=1, data=data)


def ah(spi: int = 0x2000, following: int = 59) -> AH:
    """An AH header with an integrity check value of twelve bytes, as most have; nothing follows."""
    return AH(nh=following, payloadlen=4, spi=spi, seq=1, icv=bytes(12))


def fault(protocol: int, raw: bytes) -> bool:
    """Whether an ESP or AH header contradicts itself: too short, longer than the packet, of no association."""
    if protocol == ESP_NUMBER:
        return len(raw) < 8 or raw[:4] == bytes(4)
    if protocol == AH_NUMBER:
        return len(raw) < 12 or not 12 <= (raw[1] + 2) * 4 <= len(raw) or raw[4:8] == bytes(4)
    return False


def ends(protocol: int, raw: bytes) -> tuple[int, int] | None:
    """What stands in the places of a flow's two ports; None if the header is cut before it."""
    at = {6: 0, 17: 0, ESP_NUMBER: 0, AH_NUMBER: 4}.get(protocol)
    if at is None:
        return 0, 0
    return struct.unpack_from("!HH", raw, at) if len(raw) >= at + 4 else None


def spi(protocol: int, raw: bytes) -> int | None:
    """The security parameters index of ESP and AH (RFC 4303 §2.1, RFC 4302 §2.4)."""
    at = {ESP_NUMBER: 0, AH_NUMBER: 4}.get(protocol)
    return None if at is None else struct.unpack_from("!I", raw, at)[0]


def serves(service: dict, protocol: int) -> bool:
    """Whether a service is of that protocol, by name, by number, or of any."""
    written = service["protocol"]
    return protocol not in NOBODYS if written == "any" else NAMES.get(written, written) == protocol


def bits(service: dict, address: str) -> int | None:
    """How many bits of a client's address choose its real; None if something else does."""
    six = ":" in service["vip"]
    key, _, lengths = service.get("key", "flow").partition("/")
    if key != "source":
        return None
    if six != (":" in address):
        # Of the other family, by a rule: the whole address.
        return 32 if six else 128
    four, _, other = lengths.partition(",")
    return int((other or four if six else four) or (128 if six else 32))


def masked(address: str, length: int) -> str:
    """The first bits of an address."""
    return str(ip_network(f"{address}/{length}", strict=False).network_address)


def chooser(flow: Flow, service: dict) -> Flow:
    """The tuple whose hash chooses a new flow's real: what the key takes of the flow, and nothing else."""
    length = bits(service, flow.src)
    if length is not None:
        nothing = "::" if ipaddress.ip_address(flow.src).version == 6 else "0.0.0.0"
        return Flow(masked(flow.src, length), nothing, 0, 0, 0)
    if service.get("key") == "port":
        return Flow("0.0.0.0", "0.0.0.0", 0, flow.dport, 0)
    if flow.protocol in (ESP_NUMBER, AH_NUMBER):
        # Of any protocol: an association's index changes in the middle of a session.
        return Flow(flow.src, flow.dst, 0, 0, flow.protocol)
    return flow


def client(flow: Flow, service: dict) -> tuple | None:
    """What a client is known by: services of one VIP, pool and key know each other's. None if none are kept."""
    length = bits(service, flow.src)
    return None if length is None else (masked(flow.src, length), service["vip"], service["pool"], length)
