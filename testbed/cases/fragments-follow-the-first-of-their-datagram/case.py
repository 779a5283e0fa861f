"""First, middle and last (RFC 791 §2.3): only the first names its flow, and the others go where it went."""

from golden import followed, ip4, pieces4, Pool, frame, flow_of, udp

REALS = Pool({"10.0.0.11": 100, "10.0.0.12": 100, "10.0.0.13": 100})


def packets():
    for number in range(6):
        packet = ip4(flags=0, id=number) / udp(sport=40000 + number) / bytes(80)
        real = REALS.choose(flow_of(frame(packet)))
        for at, piece in enumerate(pieces4(packet, 24, 56)):
            yield piece, followed(piece, real, 3 * number + at)
