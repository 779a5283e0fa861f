"""The sum is corrected and not made anew (RFC 1624 §3, equation 3): it is right at both zeros and where a carry comes
around, whatever the identification has made of it."""

import struct

from scapy.utils import checksum

from golden import REAL4, frame, ip4, ipip, remarked, tcp


def headers():
    """Identifications for which the sum of the header, before or after, is at an edge."""
    for wanted in (0x0000, 0x0001, 0x00B8, 0xFF47, 0xFF48, 0xFFFE):
        for dscp in (0, 46):
            for identification in range(65_536):
                header = struct.pack("!BBHHHBBH4s4s", 0x45, dscp << 2, 40, identification, 0x4000, 57, 6, 0,
                                     bytes([203, 0, 113, 7]), bytes([198, 51, 100, 10]))
                if checksum(header) == wanted:
                    yield identification
                    break


def packets():
    for identification in sorted(set(headers())):
        packet = frame(ip4(id=identification) / tcp())
        yield packet, ipip(remarked(packet, 46), REAL4)
