"""Another key, and none; another VXLAN network identifier."""

from golden import GRE, UDP, VXLAN, Ether, frame, ip4, tcp, to_end


def packets():
    inner = ip4() / tcp()
    yield frame(to_end() / GRE(key_present=1, key=43) / inner), None
    yield frame(to_end() / GRE() / inner), None
    yield frame(to_end() / UDP(sport=50000) / VXLAN(vni=43) / Ether(dst="02:00:00:00:01:01") / inner), None
