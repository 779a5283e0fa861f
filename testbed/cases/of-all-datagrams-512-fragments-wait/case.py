"""What comes before its first when the shelf is full is refused with its datagram; whoever has a place keeps it."""

from golden import REAL4, followed, ip4, pieces4, udp

BYTES_MAX = 100_000


def packets():
    sent = [pieces4(ip4(flags=0, id=number) / udp() / bytes(64), *range(8, 72, 8)) for number in range(65)]
    for number, (_, *others) in enumerate(sent[:64]):
        for at, piece in enumerate(others):
            yield piece, followed(piece, REAL4, 9 * number + 1 + at), 0.0
    yield sent[64][1], None, 0.0
    for number, (first, *_) in enumerate(sent[:64]):
        yield first, followed(first, REAL4, 9 * number), 0.0
    yield sent[64][0], None, 0.0
