"""What pads a frame is nobody's: a rule that asks for zeros does not find them there, and one that asks for four bytes
needs the last of them.
"""

from golden import REAL4, frame, ip4, ipip, padded, udp

API = "10.0.0.21"


def packets():
    for sport, payload, real in ((40000, b"", REAL4), (40001, b"\0\0\0", REAL4), (40002, b"\0\0\0\0", API)):
        packet = padded(frame(ip4() / udp(sport=sport, dport=80) / payload))
        yield packet, ipip(packet, real)
