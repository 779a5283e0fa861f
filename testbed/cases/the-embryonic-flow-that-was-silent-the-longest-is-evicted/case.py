"""SYNs an eighth of a second apart fill both buckets, four in each; the first one comes again. The next flow evicts
the second one, which has been silent the longest in their first bucket. When the other four there are established,
the second one comes back and evicts the oldest of their second bucket; the rest is found.
"""

from golden import Pool, REAL4, Room, frame, ip4, ipip, tcp

ROOM = Room("000102030405060708090a0b0c0d0e0f", 64)
POOL = Pool({REAL4: 100, "10.0.0.12": 100}, slots=251)


def packet(flow, flags):
    sent = frame(ip4() / tcp(sport=flow.sport, flags=flags))
    return sent, ipip(sent, POOL.choose(flow))


def packets():
    *eight, late = ROOM.meeting(3, 5, 9)
    order = [(flow, "S") for flow in eight] + [(eight[0], "S"), (late, "S")]
    order += [(flow, "A") for flow in (eight[0], eight[2], eight[3], late)]
    order += [(flow, "A") for flow in (eight[1], *eight[5:], eight[1])]
    for eighth, (flow, flags) in enumerate(order):
        yield *packet(flow, flags), eighth / 8
