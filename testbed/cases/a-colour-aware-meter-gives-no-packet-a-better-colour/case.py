"""RFC 2697 §3.2 and RFC 2698 §3.2, colour-aware: AF12 is yellow and AF13 red as it comes (RFC 2597 §6), what is of no such
class is green. Pots that a packet does not use stay as they are."""

from golden import REAL4, frame, ip4, ipip, remarked, tcp


def packets():
    def sent(dscp, dport):
        return frame(ip4(tos=dscp << 2) / tcp(dport=dport) / bytes(60))

    for dport, came in ((80, [(14, 30), (12, 28), (12, 30), (46, 46), (10, 10), (0, 30)]),
                        (81, [(38, 30), (36, 28), (20, 28), (46, 46), (18, 18), (0, 30)])):
        for dscp, out in came:
            packet = sent(dscp, dport)
            yield packet, ipip(remarked(packet, out), REAL4)
