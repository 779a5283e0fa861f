"""RFC 4963: sixteen bits come round soon. A datagram that is all sent is forgotten at once; of one that lacks something,
a first fragment half a second after its last begins another, and after two seconds nothing is known of it."""

from golden import Pool, REAL4, flow_of, followed, frame, ip4, pieces4, udp

REALS = Pool({"10.0.0.11": 100, "10.0.0.12": 100, "10.0.0.13": 100})


def packets():
    left = 0
    for sport, seconds in ((40000, 0.0), (40001, 0.0), (40002, 0.25), (40003, 0.75)):
        first, middle, last = pieces4(ip4(flags=0) / udp(sport=sport) / bytes(64), 24, 48)
        real = REALS.choose(flow_of(frame(ip4() / udp(sport=sport))))
        yield first, followed(first, real, left), seconds
        yield last, followed(last, real, left + 1), seconds
        left += 2
        # The third lacks its middle when the fourth begins.
        if sport != 40002:
            yield middle, followed(middle, real, left), seconds
            left += 1
    first, middle, last = pieces4(ip4(flags=0, id=7) / udp() / bytes(64), 24, 48)
    real = REALS.choose(flow_of(frame(ip4() / udp())))
    yield first, followed(first, real, left), 1.0
    yield middle, followed(middle, real, left + 1), 2.875
    yield last, None, 4.875
