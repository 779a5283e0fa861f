"""Twelve established flows whose two buckets are the same two of four flows each: eight are put in, and four go to
the real that their hash names, packet after packet. A flow of other buckets is put in all the same.
"""

from golden import Pool, REAL4, Room, frame, ip4, ipip, tcp

ROOM = Room("000102030405060708090a0b0c0d0e0f", 64)
POOL = Pool({REAL4: 100, "10.0.0.12": 100}, slots=251)


def packet(flow, flags):
    sent = frame(ip4() / tcp(sport=flow.sport, flags=flags))
    return sent, ipip(sent, POOL.choose(flow))


def packets():
    crowd, stranger = ROOM.meeting(3, 5, 12), ROOM.meeting(7, 11, 1)
    for _ in range(2):
        for flow in crowd + stranger:
            yield packet(flow, "A")
