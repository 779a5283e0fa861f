"""The two rules that choose a real, restated: the PRF of a tuple, and weighted Maglev.

AES itself comes from the `cryptography` package where whole encryptions are wanted; the four bare rounds
of the IPv6 case are FIPS 197 §5.1 written out, since no library offers them.
"""

import ipaddress
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from .frames import Flow


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


def fill(seed: bytes, slots: int, weights: dict[str, int]) -> list[str]:
    """The Maglev table: which real (by address) each slot has. The rule stands in words at the head of
    dataplane/service/src/maglev.rs."""
    order = sorted((real for real, weight in weights.items() if weight > 0),
                   key=lambda real: (ipaddress.ip_address(real).version, ipaddress.ip_address(real).packed))
    whole = 1
    while whole < max(weights.values()):
        whole *= 2
    credit = dict.fromkeys(order, whole // 2)
    walk = {}
    for real in order:
        nothing = "0.0.0.0" if ipaddress.ip_address(real).version == 4 else "::"
        a, b = prf(seed, Flow(real, nothing, 0, 0, 0))
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


class Pool:
    """A pool of reals that are up, by address and weight, and the choice it makes for a flow."""

    def __init__(self, weights: dict[str, int], slots: int = 65_537, seed: str = "0" * 32):
        self.seed = bytes.fromhex(seed)
        self.table = fill(self.seed, slots, weights)

    def choose(self, flow: Flow) -> str:
        """The address of the real that a new flow gets."""
        return self.table[prf(self.seed, flow)[0] * len(self.table) >> 64]
