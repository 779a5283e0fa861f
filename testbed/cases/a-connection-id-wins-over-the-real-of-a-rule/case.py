"""In a service with connection ids an id that names a real wins, for it is the connection's own; without one the rule
gives the real.
"""

from golden import Ids, frame, ip4, ipip, short, udp

API = "10.0.0.21"


def packets():
    ids = Ids(0, 2, 4)
    packet = frame(ip4() / udp(sport=40000, dport=443) / short(ids.make("0002")))
    yield packet, ipip(packet, "10.0.0.12")
    packet = frame(ip4() / udp(sport=40001, dport=443) / short(ids.make("0009")))
    yield packet, ipip(packet, API)
