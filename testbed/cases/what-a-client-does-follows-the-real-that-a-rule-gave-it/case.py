"""A rule gives a real to what each client does first; ESP and UDP on other ports of the same client, which a NIC gives to
other workers, go there too, and not by the hash of the client.
"""

from golden import esp, frame, ip4, ipip, udp

RULED = "10.0.0.11"


def packets():
    for host in range(1, 13):
        client = {"src": f"203.0.113.{host}"}
        first = ip4(**client) / udp(sport=7, dport=7)
        for packet in (first, first, ip4(proto=50, **client) / esp(),
                       *(ip4(**client) / udp(sport=sport, dport=9) for sport in range(40000, 40004))):
            sent = frame(packet)
            yield sent, ipip(sent, RULED)
