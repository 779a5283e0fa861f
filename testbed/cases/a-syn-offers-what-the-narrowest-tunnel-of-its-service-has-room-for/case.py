"""clamp_mss = "auto" with 1,500 bytes: 1,390 where VXLAN over IPv6 is the longest way of the pool (1,500 - 70 - 40) though this
flow's own is shorter, 1,370 of IPv6; 1,460 on a LAN that needs no tunnel; and 1,436 where a rule gives a real behind GRE
besides one on the LAN (1,500 - 24 - 40)."""

from golden import REAL4, frame, ip4, ip6, ipip, mac_rewrite, tcp

LAN = "02:00:00:00:00:0b"


def packets():
    def syn(ip, mss, port=80):
        return frame(ip / tcp(flags="S", dport=port, options=[("MSS", mss)]))

    yield syn(ip4(), 1460), ipip(syn(ip4(), 1390), REAL4)
    yield syn(ip4(), 1390), ipip(syn(ip4(), 1390), REAL4)
    yield syn(ip6(), 1440), ipip(syn(ip6(), 1370), REAL4)
    yield syn(ip4(), 1460, 81), mac_rewrite(syn(ip4(), 1460, 81), LAN)
    yield syn(ip4(), 8960, 81), mac_rewrite(syn(ip4(), 1460, 81), LAN)
    yield syn(ip4(), 1460, 82), mac_rewrite(syn(ip4(), 1436, 82), LAN)
