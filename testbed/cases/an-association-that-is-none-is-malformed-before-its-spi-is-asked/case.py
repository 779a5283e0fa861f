"""SPI 0 is nobody's (RFC 4303 §2.1), and a header without a whole one is no packet: both are malformed whatever rules ask. An
error about an association quotes the SPI of the way back, so a rule of SPIs has no word on it."""

from golden import IP, REAL4, error4, esp, flow_of, frame, ip4, ipip, remarked


def packets():
    yield frame(ip4(proto=50) / esp(spi=0)), None
    yield frame(ip4(proto=50) / b"\0\0\x10"), None
    packet = frame(ip4(proto=50) / esp())
    yield packet, ipip(remarked(packet, 46), REAL4)
    error = frame(error4(3, IP(src="198.51.100.10", dst="203.0.113.7", proto=50) / esp(0xABCD0123), code=4))
    about = flow_of(frame(IP(src="203.0.113.7", dst="198.51.100.10", proto=50) / esp(spi=0x0123ABCD)))
    yield error, ipip(error, REAL4, flow=about)
