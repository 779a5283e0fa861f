"""What the address leaves open is the covering prefix's, of protocols without ports as of ports."""

from golden import frame, ip4, ipip, tcp


def packets():
    for packet, real in [(ip4(proto=132) / bytes(12), "10.0.0.11"), (ip4(proto=47) / bytes(4), "10.0.0.12"),
                         (ip4(proto=89) / bytes(4), "10.0.0.12"), (ip4() / tcp(dport=81), "10.0.0.12"),
                         (ip4(proto=132, dst="198.51.100.11") / bytes(12), "10.0.0.12")]:
        sent = frame(packet)
        yield sent, ipip(sent, real)
