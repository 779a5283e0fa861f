"""bytes: all of them have to match, each in the bits of its mask; options before the transport header move only what
is counted from there.
"""

from golden import IPOption, REAL4, frame, ip4, ipip, udp

API = "10.0.0.21"


def packets():
    for sport, (payload, real) in enumerate(((b"\x16\x03\x01", API), (b"\x16\xf3\x01", API), (b"\x16\x04\x01", REAL4),
                                             (b"\x17\x03\x01", REAL4))):
        for at, options in ((40000, []), (41000, [IPOption(b"\x94\x04\0\0")])):
            packet = frame(ip4(options=options) / udp(sport=at + sport, dport=80) / payload)
            yield packet, ipip(packet, real)
    packet = frame(ip4(ttl=1) / udp(sport=42000, dport=80) / b"\x16\x03\x01")
    yield packet, ipip(packet, REAL4)
