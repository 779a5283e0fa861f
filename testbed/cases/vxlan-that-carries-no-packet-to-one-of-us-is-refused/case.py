"""RFC 7348 §5 and §6.1: an identifier that is not marked as valid; ARP; a frame for many; a tag inside; a frame cut short."""

from golden import ARP, UDP, VXLAN, Ether, cut, frame, ip4, tcp, to_end


def packets():
    inner, udp = ip4() / tcp(), UDP(sport=50000, dport=4789)
    one = "02:00:00:00:01:01"
    yield frame(to_end() / udp / VXLAN(flags=0, vni=42) / Ether(dst=one) / inner), None
    yield frame(to_end() / udp / VXLAN(vni=42) / Ether(dst=one) / ARP(psrc="192.0.2.200", hwsrc=one)), None
    yield frame(to_end() / udp / VXLAN(vni=42) / Ether(dst="ff:ff:ff:ff:ff:ff") / inner), None
    yield frame(to_end() / udp / VXLAN(vni=42) / Ether(dst="01:00:5e:00:00:01") / inner), None
    yield frame(to_end() / udp / VXLAN(vni=42) / Ether(dst=one, type=0x8100) / (b"\0\x05\x08\0" + bytes(inner))), None
    yield frame(to_end() / udp / cut(bytes(VXLAN(vni=42) / Ether(dst=one, type=0x800)), 21)), None
