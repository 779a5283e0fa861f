"""Whole packets of a flow show its ports in the outer source address; a later fragment has none to show, so none of its
datagram shows any, and a receiver that spreads by addresses has them all in one place."""

from golden import REAL4, followed, frame, ip4, ipip, pieces4, udp

SOURCE = "172.16.0.0/16"


def packets():
    for number, sport in enumerate(range(40000, 40004)):
        small = frame(ip4() / udp(sport=sport))
        yield small, ipip(small, REAL4, source=SOURCE)
        for at, piece in enumerate(pieces4(ip4(flags=0, id=sport) / udp(sport=sport) / bytes(64), 24)):
            yield piece, followed(piece, REAL4, 2 * number + at, source=SOURCE)
