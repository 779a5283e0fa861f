"""What is to end here has to arrive whole: its sender knows the MTU. Fragments of other protocols are the kernel's; of IPv6
any fragment is refused."""

from golden import GRE, UDP, frame, ip4, patched, tcp, to_end, to_end6, chained


def packets():
    inner = ip4() / tcp() / bytes(64)
    yield frame(to_end(flags="MF") / inner), None
    yield frame(to_end(frag=3, proto=4) / bytes(inner)[24:]), None
    yield frame(to_end(flags="MF") / UDP(sport=50000, dport=6080) / inner), None
    yield frame(to_end(flags="MF", proto=47) / bytes(GRE() / inner)), None
    more = bytes(chained([44], to_end6() / inner))
    yield frame(patched(more, 43, b"\x01"), ethertype=0x86DD), None
