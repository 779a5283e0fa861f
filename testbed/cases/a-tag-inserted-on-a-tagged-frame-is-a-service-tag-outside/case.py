"""IEEE 802.1ad: the tags that were there stay, and the new one takes over the outermost's priority. Two tags become three."""

import struct

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    for tags in (((0x8100, 0xB005),), ((0x88A8, 0x6001), (0x8100, 0x2002))):
        packet = frame(ip4() / tcp(), tags=tags)
        out = ipip(packet, REAL4)
        yield packet, out[:12] + struct.pack("!HH", 0x88A8, tags[0][1] & 0xE000 | 7) + out[12:]
