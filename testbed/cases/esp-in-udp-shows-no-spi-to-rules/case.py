"""ESP in UDP (RFC 3948 §2.1) is UDP: a rule that drops every association leaves it alone, as it does IPv6's ESP to no VIP
and fragments of ESP, whose first alone would have the SPI."""

from golden import REAL4, esp, followed, frame, ip4, ipip, pieces4, udp


def packets():
    packet = frame(ip4() / udp(dport=4500) / bytes(esp()))
    yield packet, ipip(packet, REAL4)
    yield frame(ip4(proto=50) / esp()), None
    whole = ip4(proto=50, flags=0) / bytes(esp(data=bytes(40)))
    for number, piece in enumerate(pieces4(whole, 24)):
        yield piece, followed(piece, REAL4, identification=number)
