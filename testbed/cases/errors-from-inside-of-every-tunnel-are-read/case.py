"""GRE with a key, and UDP tunnels whose port the error has to quote; VXLAN over IPv6 leaves the client the most bytes less."""

from golden import Inner, REAL6, frame, ip4, tcp, too_big, tunnel_error, tunnelled


def packets():
    vxlan = Inner("vxlan", 42, mac="02:00:00:00:01:11")
    for real, port, inner, outer in (("10.0.0.11", 80, Inner("gre", 7), 28), (REAL6, 8080, vxlan, 70)):
        came = frame(ip4() / tcp(dport=port) / bytes(1300))
        sent = tunnelled(came, real, inner)
        yield came, sent
        if outer == 28:
            yield tunnel_error(sent, 3, 4, b"\0\0\x05\x78"), too_big(came[:14 + 548 - outer], 1400 - outer)
        else:
            yield tunnel_error(sent, 2, 0, (1400).to_bytes(4, "big")), too_big(came[:14 + 1232 - outer], 1400 - outer)
            yield tunnel_error(sent[:54] + b"\xc0\x01\x12\xb6" + sent[58:], 2, 0, (1300).to_bytes(4, "big")), None
