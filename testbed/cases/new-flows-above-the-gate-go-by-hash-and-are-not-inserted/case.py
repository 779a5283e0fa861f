"""new_flows_per_second_max = 8: within one second eight flows are inserted, the others go to the real they would
have had.
"""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    for sport in range(40000, 40020):
        packet = frame(ip4() / tcp(sport=sport, flags="S"))
        yield packet, ipip(packet, REAL4), 0
    for sport in range(40000, 40020):
        packet = frame(ip4() / tcp(sport=sport))
        yield packet, ipip(packet, REAL4), 0
