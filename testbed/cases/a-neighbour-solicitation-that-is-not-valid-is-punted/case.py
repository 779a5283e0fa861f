"""RFC 4861 §7.1.1: a hop limit below 255 shows that it came from afar; a checksum, a code or an option may be
wrong, or the target a group. The kernel discards it by the same rules."""

import ipaddress

from golden import VIP6, chained, frame, icmp6, patched

TARGET = ipaddress.ip_address(VIP6).packed


def packets():
    body = bytes(4) + TARGET
    good = frame(icmp6(135, body, hlim=255))
    yield frame(icmp6(135, body, hlim=254)), None
    yield patched(good, 56, b"\0\0"), None
    yield frame(icmp6(135, body, code=1, hlim=255)), None
    yield frame(icmp6(135, body + bytes(8), hlim=255)), None
    yield frame(icmp6(135, body + b"\x01\x02" + bytes(6), hlim=255)), None
    yield frame(icmp6(135, body[:-1], hlim=255)), None
    yield frame(icmp6(135, bytes(4) + b"\xff" + bytes(15), hlim=255)), None
    yield frame(chained([60], icmp6(135, body, hlim=255))), None
