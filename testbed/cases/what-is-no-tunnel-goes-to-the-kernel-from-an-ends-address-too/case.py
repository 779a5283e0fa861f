"""The kernel has the address: ARP, echo, TCP, UDP to another port, tunnels of a kind that does not end here, and errors."""

from golden import ARP, GRE, UDP, echo4, frame, ip4, reply, error4, tcp, to_end


def packets():
    yield frame(ARP(op=1, psrc="192.0.2.200", hwsrc="02:00:00:00:00:c1", pdst="192.0.2.9"), ethertype=0x0806), None
    yield frame(echo4(dst="192.0.2.9")), None
    yield frame(to_end() / tcp(dport=22)), None
    yield frame(to_end() / UDP(sport=50000, dport=53) / b"question"), None
    yield frame(to_end() / GRE() / ip4() / tcp()), None
    yield frame(to_end(proto=50) / (b"\1" * 16)), None
    yield frame(error4(3, to_end(src="192.0.2.9", dst="192.0.2.200") / UDP(sport=6080, dport=50000), dst="192.0.2.9")), None
