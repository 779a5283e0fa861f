"""tcp_flags = "syn !ack": a SYN matches whatever else is set, a SYN with ACK does not, nor does UDP, whose bytes mean
other things.
"""

from golden import REAL4, frame, ip4, ipip, tcp, udp

API = "10.0.0.21"


def packets():
    for flags in ("S", "SEC", "SP"):
        yield frame(ip4() / tcp(flags=flags)), None
    for sport, flags in ((40001, "SA"), (40002, "A"), (40003, "F"), (40004, "")):
        packet = frame(ip4() / tcp(sport=sport, flags=flags))
        yield packet, ipip(packet, REAL4)
    packet = frame(ip4() / udp(dport=53) / (b"\x02" * 12))
    yield packet, ipip(packet, API)
