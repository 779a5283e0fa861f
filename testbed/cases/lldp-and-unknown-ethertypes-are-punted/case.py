"""Link-layer discovery, MPLS, PPPoE, a local experiment: not IP to us."""

from golden import frame, padded


def packets():
    for ethertype in (0x88CC, 0x8847, 0x8864, 0x88B5):
        yield padded(frame(b"\x02\x07\x04", ethertype=ethertype)), None
