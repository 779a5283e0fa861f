"""real: whatever the flow's hash, and though the real is in no pool of the service. It counts for the service that is
named.
"""

from golden import frame, ip4, ipip, tcp

API = "10.0.0.21"


def packets():
    for sport in range(40000, 40008):
        packet = frame(ip4() / tcp(sport=sport))
        yield packet, ipip(packet, API)
