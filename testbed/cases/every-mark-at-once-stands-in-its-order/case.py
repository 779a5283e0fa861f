"""From the inside out: code point, labels, tag. The link header has its MAC addresses first, as ever."""

import struct

from golden import MPLS, REAL4, frame, ip4, ipip, remarked, tcp


def packets():
    for tags in ((), ((0x8100, 0x2002),)):
        packet = frame(ip4() / tcp(), tags=tags)
        out = ipip(remarked(packet, 46), REAL4)
        head, rest = out[:12], out[14 + 4 * len(tags):]
        kind = struct.pack("!HH", 0x88A8 if tags else 0x8100, 5 << 13 | 7)
        stack = MPLS(label=16, cos=5, s=0, ttl=9).build() + MPLS(label=17, cos=5, s=1, ttl=9).build()
        yield packet, head + kind + out[12:12 + 4 * len(tags)] + b"\x88\x47" + stack + rest
