"""RFC 4861 §7.2.4: from its solicited-node group (RFC 4291 §2.7.1) or from the VIP itself, as in unreachability
detection, where the asker need not say its link address. The answer is solicited, overrides, and says ours."""

import ipaddress

from golden import CLIENT_MAC, VIP6, advertisement, frame, icmp6, padded

TARGET = ipaddress.ip_address(VIP6).packed
LINK = b"\x01\x01" + bytes.fromhex(CLIENT_MAC.replace(":", ""))
GROUP = bytes.fromhex("3333ff000010")


def packets():
    for tags in ((), ((0x8100, 5),)):
        asked = frame(icmp6(135, bytes(4) + TARGET + LINK, src="fe80::7", dst="ff02::1:ff00:10", hlim=255), tags)
        asked = GROUP + asked[6:]
        yield asked, advertisement(asked)
    for options in (b"", LINK, b"\x0e\x01" + bytes(6) + LINK):
        asked = frame(icmp6(135, bytes(4) + TARGET + options, src="2001:db8:100::1", hlim=255), ((0x8100, 5),))
        yield asked, advertisement(asked)
    asked = padded(frame(icmp6(135, bytes(4) + TARGET, src="2001:db8:100::1", hlim=255)), 90)
    yield asked, advertisement(asked[:78])
