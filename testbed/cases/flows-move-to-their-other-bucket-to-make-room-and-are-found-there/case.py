"""Both buckets of a flow are full of established ones, and those could be elsewhere: one of them moves, the new flow
is put in, and all are found.
"""

from golden import Pool, REAL4, Room, frame, ip4, ipip, tcp

ROOM = Room("000102030405060708090a0b0c0d0e0f", 64)
POOL = Pool({REAL4: 100, "10.0.0.12": 100}, slots=251)


def packet(flow, flags):
    sent = frame(ip4() / tcp(sport=flow.sport, flags=flags))
    return sent, ipip(sent, POOL.choose(flow))


def packets():
    table = ROOM.meeting(3, 9, 4) + ROOM.meeting(5, 12, 4) + ROOM.meeting(3, 5, 1)
    for _ in range(2):
        for flow in table:
            yield packet(flow, "A")
