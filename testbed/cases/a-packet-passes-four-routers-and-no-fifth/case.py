"""Each of us takes a share of the hop limit off the TTL that a tunnel came with: a quarter of 64. More than ours counts as
ours. What is left is what the packet leaves with; where nothing is left it is dropped."""

from golden import REAL4, REAL6, frame, ip4, ip6, ipip, tcp, to_end, to_end6


def packets():
    inner = ip4() / tcp()
    for came, leaves in ((255, 48), (64, 48), (63, 47), (48, 32), (32, 16), (17, 1)):
        yield frame(to_end(ttl=came) / inner), ipip(frame(inner), REAL4, hop_limit=leaves)
    for came in (16, 15, 1, 0):
        yield frame(to_end(ttl=came) / inner), None
    inner = ip6() / tcp()
    yield frame(to_end6(hlim=40) / inner), ipip(frame(inner), REAL6, hop_limit=24)
    yield frame(to_end6(hlim=16) / inner), None
