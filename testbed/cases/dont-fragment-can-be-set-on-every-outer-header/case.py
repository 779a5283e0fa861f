"""With dont_fragment = "set" the outer bit is set whatever the inner one is; the identification is 0 (RFC 6864
§4.1).
"""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    for flags in ("DF", 0):
        packet = frame(ip4(flags=flags) / tcp())
        yield packet, ipip(packet, REAL4, dont_fragment="set")
