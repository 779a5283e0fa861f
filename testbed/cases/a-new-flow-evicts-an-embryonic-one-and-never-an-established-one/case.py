"""Two buckets with four established and four embryonic flows. Six SYNs and four established flows more each evict an
embryonic one; then all eight are established, a SYN finds no room, and the eight are found.
"""

from golden import Pool, REAL4, Room, frame, ip4, ipip, tcp

ROOM = Room("000102030405060708090a0b0c0d0e0f", 64)
POOL = Pool({REAL4: 100, "10.0.0.12": 100}, slots=251)


def packet(flow, flags):
    sent = frame(ip4() / tcp(sport=flow.sport, flags=flags))
    return sent, ipip(sent, POOL.choose(flow))


def packets():
    crowd = ROOM.meeting(3, 5, 19)
    first, waiting, flood, later, late = crowd[:4], crowd[4:8], crowd[8:14], crowd[14:18], crowd[18]
    for flow in first:
        yield packet(flow, "A")
    for flow in waiting + flood:
        yield packet(flow, "S")
    for flow in later:
        yield packet(flow, "A")
    yield packet(late, "S")
    for flow in first + later:
        yield packet(flow, "PA")
