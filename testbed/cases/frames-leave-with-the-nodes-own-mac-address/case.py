"""The source MAC address of what we send is [node] mac, whatever address the packet came to."""

from golden import REAL4, frame, ip4, ipip, tcp


def packets():
    packet = frame(ip4() / tcp())
    yield packet, ipip(packet, REAL4, node_mac="02:12:34:56:78:9a")
