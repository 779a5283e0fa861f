"""Not our address: the kernel's, in both families and whatever the protocol."""

from golden import frame, ip4, ip6, tcp


def packets():
    yield frame(ip4(dst="198.51.100.11") / tcp()), None
    yield frame(ip4(dst="192.0.2.1", proto=47) / bytes(8)), None
    yield frame(ip4(dst="224.0.0.5", proto=89) / bytes(44)), None
    yield frame(ip6(dst="2001:db8:100::11") / tcp()), None
    yield frame(ip6(dst="ff02::5", nh=89) / bytes(36)), None
