"""What a server sends back by ESP, where it has us as its gateway: punted, and counted for its service. GRE from the VIP
is no service's."""

from golden import esp, frame, ip4


def packets():
    yield frame(ip4(src="198.51.100.10", dst="203.0.113.7", proto=50) / esp(0xABCD)), None
    yield frame(ip4(src="198.51.100.10", dst="203.0.113.7", proto=47) / bytes(8)), None
