"""return_path = "via-slr": the SYN with ACK of a service is met here, and bounds what the client sends. It goes to the
kernel as responses do."""

from golden import frame, ip4, tcp



def packets():
    answer = ip4(src="198.51.100.10", dst="203.0.113.7")
    yield frame(answer / tcp(sport=80, dport=40000, flags="SA", options=[("MSS", 1460)])), None
    yield frame(answer / tcp(sport=81, dport=40000, flags="SA", options=[("MSS", 1460)])), None
    yield frame(answer / tcp(sport=80, dport=40000, flags="A")), None
