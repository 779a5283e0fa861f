"""A datagram too large for the path, and small ones before and after it."""

from golden import Pool, flow_of, followed, frame, ip4, ipip, pieces4, udp

REALS = Pool({"10.0.0.11": 100, "10.0.0.12": 100, "10.0.0.13": 100})


def packets():
    for sport in range(40000, 40004):
        small = frame(ip4() / udp(sport=sport) / b"small")
        real = REALS.choose(flow_of(small))
        large = ip4(flags=0, id=sport) / udp(sport=sport) / bytes(64)
        left = 2 * (sport - 40000)
        if sport % 2:
            yield small, ipip(small, real)
        for at, piece in enumerate(pieces4(large, 24)):
            yield piece, followed(piece, real, left + at)
        yield small, ipip(small, real)
