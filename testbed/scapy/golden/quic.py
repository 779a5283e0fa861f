"""QUIC as a router sees it (RFC 8999 §5), and the connection ids of QUIC-LB (draft-ietf-quic-load-balancers-21).

Ids are made as a server makes them, step by step of §5.4.2.3 on whole integers, and read by undoing those steps.
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from .selection import Door, aes128, end_of


@dataclass(frozen=True)
class Ids:
    """One way to make connection ids."""

    config: int
    server_id_bytes: int
    nonce_bytes: int
    key: bytes = b""
    lengths: bool = False

    @property
    def size(self) -> int:
        """Bytes behind the first octet."""
        return self.server_id_bytes + self.nonce_bytes

    def make(self, server_id: str, nonce: bytes | None = None) -> bytes:
        """An id of the server; both parts in the lengths that were agreed."""
        nonce = bytes(range(0xA0, 0xA0 + self.nonce_bytes)) if nonce is None else nonce
        plain = bytes.fromhex(server_id) + nonce
        assert len(plain) == self.size
        first = self.config << 5 | (self.size if self.lengths else 0x15)
        return bytes([first]) + self.encrypt(plain)

    def encrypt(self, plain: bytes) -> bytes:
        """§5.4: clear, one block, or four passes."""
        if not self.key:
            return plain
        if self.size == 16:
            return aes128(self.key, plain)
        left, right = self.halves(plain)
        for number in (1, 2, 3, 4):
            if number % 2:
                right = self.round(number, left, right) & self.right_mask
            else:
                left = self.round(number, right, left) & self.left_mask
        return self.joined(left, right)

    def read(self, id_: bytes) -> str | None:
        """The server id in what begins with an id; None if it is too short, or tells more bytes than there are (§4.1)."""
        if len(id_) < 1 + self.size or self.lengths and not self.size <= id_[0] & 31 < len(id_):
            return None
        body = id_[1:1 + self.size]
        if self.key and self.size == 16:
            body = Cipher(algorithms.AES(self.key), modes.ECB()).decryptor().update(body)
        elif self.key:
            left, right = self.halves(body)
            for number in (4, 3, 2, 1):
                if number % 2:
                    right = self.round(number, left, right) & self.right_mask
                else:
                    left = self.round(number, right, left) & self.left_mask
            body = self.joined(left, right)
        return body[:self.server_id_bytes].hex()

    @property
    def half(self) -> int:
        """Bytes of one half."""
        return (self.size + 1) // 2

    @property
    def left_mask(self) -> int:
        """All bits of a left half but those that an odd length leaves to the other."""
        return (1 << 8 * self.half) - (16 if self.size % 2 else 1)

    @property
    def right_mask(self) -> int:
        """The same of a right half."""
        return (1 << 8 * self.half - (4 if self.size % 2 else 0)) - 1

    def halves(self, body: bytes) -> tuple[int, int]:
        """Step 2."""
        return (int.from_bytes(body[:self.half], "big") & self.left_mask,
                int.from_bytes(body[-self.half:], "big") & self.right_mask)

    def joined(self, left: int, right: int) -> bytes:
        """Step 12."""
        shift = 8 * (self.size - self.half)
        return (left << shift | right).to_bytes(self.size, "big")

    def round(self, number: int, source: int, onto: int) -> int:
        """One pass: expand, encrypt, truncate, XOR."""
        block = source.to_bytes(self.half, "big").ljust(14, b"\0") + bytes([self.size, number])
        return onto ^ int.from_bytes(aes128(self.key, block)[:self.half], "big")


def long(destination: bytes, source: bytes = b"", version: int = 1, first: int = 0xC3) -> bytes:
    """A packet with a long header, and something behind it."""
    return (bytes([first]) + version.to_bytes(4, "big") + bytes([len(destination)]) + destination
            + bytes([len(source)]) + source + b"something protected")


def short(destination: bytes, rest: bytes = b"something protected") -> bytes:
    """A packet with a short header."""
    return b"\x41" + destination + rest


def ids(data: bytes) -> tuple[bytes, bytes, bool] | None:
    """Destination and source of a packet, and whether they are whole; None for a long header that is cut short."""
    if not data:
        return None
    if data[0] < 0x80:
        return data[1:], b"", False
    found, at = [], 5
    for _ in range(2):
        if len(data) <= at or len(data) < at + 1 + data[at]:
            return None
        found.append(data[at + 1:at + 1 + data[at]])
        at += 1 + data[at]
    return found[0], found[1], True


class Servers:
    """The ways that one service knows."""

    def __init__(self, names: list, tables: list, reals: dict):
        self.by_config = {}
        for table in tables:
            if table["name"] in names:
                way = Ids(table["config"], table["server_id_bytes"], table["nonce_bytes"],
                          bytes.fromhex(table.get("key", "")), table.get("lengths", False))
                servers = {server["id"]: reals[server["real"]] for server in table["servers"]}
                self.by_config[way.config] = way, servers

    def of(self, id_: bytes, whole: bool) -> str | Door | None:
        """The real that an id names."""
        if not id_ or id_[0] >> 5 not in self.by_config:
            return None
        way, servers = self.by_config[id_[0] >> 5]
        if whole and way.lengths and id_[0] & 31 != len(id_) - 1:
            return None
        real = servers.get(way.read(id_))
        return end_of(real) if real and real.get("state", "up") != "down" else None

    def named(self, data: bytes) -> str | Door | None:
        """By a client's packet."""
        found = ids(data)
        return self.of(found[0], found[2]) if found else None

    def sender(self, data: bytes) -> str | None:
        """By a server's packet, which an error quotes."""
        found = ids(data)
        return self.of(found[1], True) if found and found[2] else None
