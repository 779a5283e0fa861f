"""SCTP (RFC 9260 §3.1) has ports that are not read: what goes from one address to another is one flow, so all
associations of a client share a real. Even a packet that is shorter than its header is the real's business."""

import struct

from golden import Pool, flow_of, frame, ip4, ipip

REALS = {"10.0.0.11": 100, "10.0.0.12": 100, "10.0.0.13": 100}


def packets():
    pool = Pool(REALS)
    for host in (1, 2, 3):
        for sport in (2905, 2906):
            header = struct.pack("!HHII", sport, 2905, 7, 0)
            sent = frame(ip4(proto=132, src=f"203.0.113.{host}") / (header + b"\x01\0\0\x04"))
            yield sent, ipip(sent, pool.choose(flow_of(sent)))
    sent = frame(ip4(proto=132, src="203.0.113.1") / b"\0")
    yield sent, ipip(sent, pool.choose(flow_of(sent)))
