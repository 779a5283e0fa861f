"""RFC 768: over the addresses, the UDP header and the packet, of odd and of even length; link padding is not counted."""

from golden import frame, Inner, ip4, ip6, padded, REAL4, tcp, tunnelled


def packets():
    for size in (0, 1, 2, 3, 4, 1399):
        packet = padded(frame(ip4() / tcp() / bytes(range(1, 256))[:size].ljust(size, b"x")), 64, b"\xee")
        yield packet, tunnelled(packet, REAL4, Inner("fou", checksum="full"))
    packet = frame(ip6() / tcp() / b"odd")
    yield packet, tunnelled(packet, REAL4, Inner("fou", checksum="full"))
