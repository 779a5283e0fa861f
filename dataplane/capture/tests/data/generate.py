#!/usr/bin/python3
"""Writes the captures of this folder with scapy and editcap; tests/files.rs reads them.

The same bytes come out every time, but for the name of editcap's version in micro.pcapng."""

import os
import subprocess

from scapy.all import IP, UDP, Ether, Raw, RawPcapWriter, wrpcap

os.chdir(os.path.dirname(os.path.abspath(__file__)))

packets = []
for number in range(3):
    packet = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src="192.0.2.1", dst="198.51.100.1")
    packet = packet / UDP(sport=1000 + number, dport=53) / Raw(bytes(range(10 * number)))
    packet.time = 1700000000 + number * 0.25
    packets.append(packet)

wrpcap("micro-little.pcap", packets)
wrpcap("nano-big.pcap", packets, endianness=">", nano=True)
subprocess.run(["editcap", "-F", "pcapng", "micro-little.pcap", "micro.pcapng"], check=True)
subprocess.run(["editcap", "-F", "nsecpcap", "micro-little.pcap", "nano-little.pcap"], check=True)
subprocess.run(["editcap", "-F", "modpcap", "micro-little.pcap", "modified.pcap"], check=True)
subprocess.run(["editcap", "-s", "48", "micro-little.pcap", "cut-by-snaplen.pcap"], check=True)

with RawPcapWriter("linux-sll.pcap", linktype=113) as writer:
    writer.write_header(None)
    writer.write_packet(bytes(16) + bytes(packets[0].payload), sec=1700000000, usec=0)

with open("micro-little.pcap", "rb") as whole, open("truncated.pcap", "wb") as cut:
    cut.write(whole.read()[:-7])
