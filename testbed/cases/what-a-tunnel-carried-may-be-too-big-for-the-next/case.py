"""1,481 bytes do not fit a tunnel of 1,500: the sender is told, as it is without a tunnel, by whoever handed it over."""

from golden import REAL4, frame, ip4, ipip, tcp, to_end, too_big


def packets():
    for size in (1440, 1441):
        inner = ip4() / tcp() / bytes(size)
        out = ipip(frame(inner), REAL4, hop_limit=48) if size == 1440 else too_big(frame(inner), 1480)
        yield frame(to_end() / inner), out
