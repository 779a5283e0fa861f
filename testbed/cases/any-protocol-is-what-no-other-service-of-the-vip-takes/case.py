"""Its own protocol wins, and its own port; the rest, ports or not, is that of "any". ICMP is not: an echo is answered,
and 255 is no protocol."""

from golden import echo4, echo_answer, esp, frame, ip4, ipip, tcp, udp


def packets():
    for packet, real in [(ip4() / tcp(dport=80), "10.0.0.11"), (ip4(proto=50) / esp(), "10.0.0.12"),
                         (ip4() / tcp(dport=81), "10.0.0.13"), (ip4() / udp(dport=80) / b"q", "10.0.0.13"),
                         (ip4(proto=51) / bytes.fromhex("3b01000000000009000000013b010000"), "10.0.0.13"),
                         (ip4(proto=47) / bytes(4), "10.0.0.13"), (ip4(proto=0) / bytes(4), "10.0.0.13")]:
        sent = frame(packet)
        yield sent, ipip(sent, real)
    echo = frame(echo4())
    yield echo, echo_answer(echo)
    yield frame(ip4(proto=58) / bytes(8)), None
    yield frame(ip4(proto=255) / bytes(8)), None
