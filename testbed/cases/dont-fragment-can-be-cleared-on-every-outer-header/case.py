"""With dont_fragment = "clear" the network may fragment all of them, IPv6 inside too: each has its own
identification.
"""

from golden import REAL4, frame, ip4, ip6, ipip, tcp


def packets():
    for identification, ip in enumerate((ip4(), ip4(flags=0), ip6(), ip4())):
        packet = frame(ip / tcp())
        yield packet, ipip(packet, REAL4, dont_fragment="clear", identification=identification)
