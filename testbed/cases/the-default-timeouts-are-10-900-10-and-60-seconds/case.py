"""Half a second before each of them the flow is still there: SYN, established, closing, UDP. The three short ones
have been swept long before the end.
"""

from golden import REAL4, frame, ip4, ipip, tcp, udp


def packets():
    half_open, established = ip4() / tcp(sport=1, flags="S"), ip4() / tcp(sport=2)
    closing, datagram = ip4() / tcp(sport=3, flags="FA"), ip4() / udp()
    story = ((0, half_open), (0, established), (0, ip4() / tcp(sport=3)), (0, closing), (0, datagram),
             (9.5, half_open), (9.5, closing), (59.5, datagram), (899.5, established))
    for seconds, packet in story:
        packet = frame(packet)
        yield packet, ipip(packet, REAL4), seconds
