"""The rules that choose a real, restated: the PRF of a tuple, weighted Maglev, and weighted rendezvous hashing.

AES itself comes from the `cryptography` package where whole encryptions are wanted; the four bare rounds
of the IPv6 case are FIPS 197 §5.1 written out, since no library offers them.
"""

import ipaddress
import struct
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from .frames import Flow
from .outputs import PORTS, Inner


def aes128(key: bytes, block: bytes) -> bytes:
    """One block, encrypted."""
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)


def xtime(byte: int) -> int:
    """Multiplication by x in GF(2^8), FIPS 197 §4.2.1."""
    return (byte << 1 ^ (0x1B if byte & 0x80 else 0)) & 0xFF


def times(left: int, right: int) -> int:
    """Multiplication in GF(2^8)."""
    product = 0
    while right:
        product ^= left if right & 1 else 0
        left, right = xtime(left), right >> 1
    return product


def substitute(byte: int) -> int:
    """The S-box, FIPS 197 §5.1.1: the inverse (byte to the 254th power), then the affine map."""
    inverse = 1
    for _ in range(254):
        inverse = times(inverse, byte)
    turned = 0
    for turn in range(5):
        turned ^= inverse << turn | inverse >> 8 - turn
    return turned & 0xFF ^ 0x63


SBOX = bytes(map(substitute, range(256)))


def xor(left: bytes, right: bytes) -> bytes:
    """Byte by byte."""
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def aes_round(state: bytes, key: bytes) -> bytes:
    """SubBytes, ShiftRows, MixColumns, AddRoundKey; the state is column by column, as in FIPS 197 §3.4."""
    shifted = [SBOX[state[(4 * (column + row) + row) % 16]] for column in range(4) for row in range(4)]
    mixed = bytearray()
    for at in range(0, 16, 4):
        a, b, c, d = shifted[at:at + 4]
        every = a ^ b ^ c ^ d
        mixed += bytes(this ^ every ^ xtime(this ^ following) for this, following in ((a, b), (b, c), (c, d), (d, a)))
    return xor(bytes(mixed), key)


def four_rounds(block: bytes, keys: list[bytes]) -> bytes:
    """A whitening key, then four bare rounds."""
    state = xor(block, keys[0])
    for key in keys[1:]:
        state = aes_round(state, key)
    return state


def prf(key: bytes, flow: Flow) -> tuple[int, int]:
    """The two 64-bit words of a tuple's PRF."""
    source, destination = (ipaddress.ip_address(end) for end in (flow.src, flow.dst))
    rest = struct.pack("!HHBBH", flow.sport, flow.dport, flow.protocol, source.version, 0)
    if source.version == 4:
        out = aes128(key, source.packed + destination.packed + rest)
    else:
        keys = [aes128(key, number.to_bytes(16, "big")) for number in range(1, 11)]
        whitened = xor(four_rounds(source.packed, keys[:5]), four_rounds(destination.packed, keys[5:]))
        out = aes128(key, xor(whitened, bytes(8) + rest))
    return struct.unpack("<QQ", out)


class Door(NamedTuple):
    """A real that a tunnel with more than an IP header leads to; one without is known by its address alone."""

    address: str
    form: int
    port: int
    key: int
    mac: bytes


def door(address: str, inner: Inner | None = None) -> str | Door:
    """What a real is known by that packets travel to in such a way: an address may be that of several."""
    if inner is None or inner.encap in ("ipip", "mac"):
        return address
    form = {"gre": 1 if inner.key is None else 2, "fou": 3, "gue": 4, "vxlan": 5}[inner.encap]
    mac = bytes.fromhex((inner.mac or "00" * 6).replace(":", ""))
    return Door(address, form, inner.port or PORTS.get(inner.encap, 0), inner.key or 0, mac)


def end_of(real: dict) -> str | Door:
    """The same of a real of the configuration."""
    inner = Inner(real.get("encap", "ipip"), real.get("tunnel_key"), real.get("tunnel_port"), real.get("inner_mac"))
    return door(real["address"], inner)


def rank(real: str | Door) -> tuple:
    """The order of reals: by address, and at one address by form, port, key and inner MAC address."""
    address, *rest = (real, 0, 0, 0, bytes(6)) if isinstance(real, str) else real
    return ipaddress.ip_address(address).version, ipaddress.ip_address(address).packed, *rest


def words(seed: bytes, real: str | Door) -> tuple[int, int]:
    """The two words of a real: of a tuple that has its address as source and nothing else, or as destination its door."""
    if isinstance(real, str):
        return prf(seed, Flow(real, "0.0.0.0" if ipaddress.ip_address(real).version == 4 else "::", 0, 0, 0))
    address = ipaddress.ip_address(real.address)
    door = struct.pack("!IH6sB3x", real.key, real.port, real.mac, real.form)
    ends = (str(ipaddress.IPv6Address(end)) for end in (address.packed.ljust(16, b"\0"), door))
    return prf(seed, Flow(*ends, 0, 0, address.version))


def fill(seed: bytes, slots: int, weights: dict[str | Door, int]) -> list[str | Door]:
    """The Maglev table: which real each slot has. The rule stands in words at the head of
    dataplane/service/src/maglev.rs."""
    order = sorted((real for real, weight in weights.items() if weight > 0), key=rank)
    whole = 1
    while whole < max(weights.values()):
        whole *= 2
    credit = dict.fromkeys(order, whole // 2)
    walk = {}
    for real in order:
        a, b = words(seed, real)
        walk[real] = (a * slots >> 64, 1 + (b * (slots - 1) >> 64))
    table: list[str | None] = [None] * slots
    empty = slots
    while True:
        for real in order:
            credit[real] += weights[real]
            if credit[real] < whole:
                continue
            credit[real] -= whole
            position, skip = walk[real]
            while table[position] is not None:
                position = (position + skip) % slots
            table[position] = real
            walk[real] = ((position + skip) % slots, skip)
            empty -= 1
            if not empty:
                return table


def logarithms() -> list[int]:
    """The integer parts of 2^32 log2(1 + i / 256), for i from 0 to 256."""
    with localcontext() as context:
        context.prec = 40
        return [0, *(int((Decimal(256 + i) / 256).ln() / Decimal(2).ln() * 2**32) for i in range(1, 256)), 2**32]


LOGARITHMS = logarithms()


def cost(word: int) -> int:
    """-log2(word / 2^64) in units of 2^-32, by straight lines between the logarithms."""
    zeros = 64 - word.bit_length()
    normal = word << zeros
    place, fraction = normal >> 55 & 0xFF, normal >> 31 & 0xFFFFFF
    low, high = LOGARITHMS[place:place + 2]
    return (zeros + 1 << 32) - (low + ((high - low) * fraction >> 24))


def fill_by_rendezvous(seed: bytes, slots: int, weights: dict[str | Door, int]) -> list[str | Door]:
    """The table of weighted rendezvous hashing. The rule stands in words at the head of
    dataplane/service/src/rendezvous.rs."""
    order = sorted((real for real, weight in weights.items() if weight > 0), key=rank)
    costs = {}
    for real in order:
        own = words(seed, real)[0]
        blocks = b"".join(struct.pack("<QQ", own, slot) for slot in range(slots))
        drawn = struct.unpack(f"<{2 * slots}Q", aes128(seed, blocks))[::2]
        costs[real] = [cost(max(word, 1)) for word in drawn]
    # As fractions, so that none is rounded; the first in order among equals.
    return [min(order, key=lambda real: Fraction(costs[real][slot], weights[real])) for slot in range(slots)]


FILLS = {"maglev": fill, "rendezvous": fill_by_rendezvous}


class Pool:
    """A pool of reals that are up, each by what it is known by and its weight, and the choice it makes for a flow."""

    def __init__(self, weights: dict[str | Door, int], slots: int = 65_537, seed: str = "0" * 32, policy: str = "maglev"):
        self.seed = bytes.fromhex(seed)
        self.table = FILLS[policy](self.seed, slots, weights)

    def choose(self, flow: Flow) -> str | Door:
        """The real that a new flow gets."""
        return self.table[prf(self.seed, flow)[0] * len(self.table) >> 64]
