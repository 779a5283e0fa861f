"""Shorter than its fixed part by the IP header's word, of no association (SPI 0, RFC 4303 §2.1), or, AH, with a length
below its fixed part or beyond the packet (RFC 4302 §2.2). What the frame cuts is truncated."""

from golden import ah, cut, esp, frame, ip4


def packets():
    sound = bytes(ah())
    for packet in (ip4(proto=50) / b"\0\0\x10\0\0\0\0", ip4(proto=50), ip4(proto=50) / esp(spi=0),
                   ip4(proto=51) / sound[:11], ip4(proto=51) / (sound[:1] + b"\0" + sound[2:]),
                   ip4(proto=51) / (sound[:1] + b"\x05" + sound[2:]), ip4(proto=51) / ah(spi=0)):
        yield frame(packet), None
    yield cut(frame(ip4(proto=50) / esp()), 41), None
    yield cut(frame(ip4(proto=51) / ah()), 45), None
