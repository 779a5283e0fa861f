"""udp_timeout_s = 2: the sweep goes round the table at least once a minute and takes the flow out."""

from golden import REAL4, frame, ip4, ipip, udp


def packets():
    silent, lively = frame(ip4() / udp(sport=1)), frame(ip4() / udp(sport=2))
    yield silent, ipip(silent, REAL4), 0
    for seconds in range(66):
        yield lively, ipip(lively, REAL4), seconds
