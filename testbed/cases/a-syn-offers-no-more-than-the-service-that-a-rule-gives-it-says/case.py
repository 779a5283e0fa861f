"""The rule gives clients of a prefix another service, and what that says counts: in a whole SYN, in one sent again, in the
first of two fragments, and never in what comes behind that. A rule that drops a SYN leaves nothing to lower."""

from golden import REAL4, frame, ip4, ipip, pieces4, tcp
from golden.frames import Flow

GIVEN = "203.0.113.130"


def packets():
    def syn(ip, mss, sport=40000, data=b""):
        return ip / tcp(flags="S", sport=sport, options=[("MSS", mss)]) / data

    yield frame(syn(ip4(), 1460)), ipip(frame(syn(ip4(), 1460)), REAL4)
    for _ in range(2):
        yield frame(syn(ip4(src=GIVEN), 1460)), ipip(frame(syn(ip4(src=GIVEN), 1300)), "10.0.0.12")
    yield frame(syn(ip4(src="203.0.113.200"), 1460)), None
    sent, out = (syn(ip4(src=GIVEN, flags=0), mss, 40001, bytes(56)) for mss in (1460, 1300))
    flow = Flow(GIVEN, "198.51.100.10", 0, 0, 6)
    outs = [ipip(piece, "10.0.0.12", identification=at, flow=flow) for at, piece in enumerate(pieces4(out, 32))]
    yield from zip(pieces4(sent, 32), outs)
