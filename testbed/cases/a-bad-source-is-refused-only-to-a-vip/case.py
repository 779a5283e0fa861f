"""A loopback address on the wire is nobody's; what it sends elsewhere than to a VIP is the kernel's to judge.

Duplicate address detection (RFC 4862 §5.4) and DHCP (RFC 2131 §4.1) begin from no address: they have to get there.
"""

from golden import frame, ip4, ip6, tcp, udp


def packets():
    yield frame(ip4(src="127.0.0.1") / tcp()), None
    yield frame(ip4(src="127.0.0.1", dst="192.0.2.1") / tcp()), None
    yield frame(ip4(src="0.0.0.0", dst="255.255.255.255") / udp(sport=68, dport=67)), None
    yield frame(ip6(src="::", dst="ff02::1:ff00:1") / tcp()), None
