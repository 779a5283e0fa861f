"""Eight runs of bytes are told apart; a ninth is more than reordering makes. What closes a gap is welcome."""

from golden import REAL4, followed, ip4, part4, udp


def packets():
    whole = ip4(flags=0) / udp(len=400) / bytes(392)
    part = lambda number: part4(whole, 16 * number, bytes(whole)[20:][16 * number:16 * number + 8], True)
    for number in range(8):
        yield part(number), followed(part(number), REAL4, number)
    gap = part4(whole, 8, bytes(8), True)
    yield gap, followed(gap, REAL4, 8)
    yield part(8), followed(part(8), REAL4, 9)
    yield part(9), None
    yield part4(whole, 24, bytes(8), True), None
