"""They wait for a second (eight ticks of the clock), and no longer than the program runs."""

from golden import ip4, pieces4, udp


def packets():
    for number in range(2):
        _, middle, last = pieces4(ip4(flags=0, id=number) / udp() / bytes(64), 24, 48)
        yield middle, None, number * 10.0
        yield last, None, number * 10.0 + 0.5
