"""RFC 8200 §4.5: behind the IPv6 header, or with options in front that each fragment has, or with options that were cut
with the rest."""

from golden import REAL4, chained, extension, followed, frame, ip6, part6, pieces6, udp


def packets():
    for piece in pieces6(ip6() / udp() / bytes(80), 24, 56):
        yield piece, followed(piece, REAL4)
    within = chained([60], ip6() / udp() / bytes(40))
    for piece in pieces6(within, 32, identification=8):
        yield piece, followed(piece, REAL4)
    body = bytes(ip6() / udp() / bytes(40))[40:]
    for offset, payload, more in ((0, body[:24], 1), (24, body[24:], 0)):
        header = bytes([17, 0]) + (offset | more).to_bytes(2, "big") + (9).to_bytes(4, "big")
        piece = frame(ip6(nh=60) / (extension(60, 44) + header + payload))
        yield piece, followed(piece, REAL4)
