#!/usr/bin/python3
"""exchange.py INTERFACE FRAMES COUNT: sends frames, one line of hex each, and prints what comes back.

It waits until COUNT frames came, and a moment longer for those that should not; at most ten seconds.
"""

import select
import socket
import struct
import sys
import time

SOL_PACKET, PACKET_AUXDATA, PACKET_OUTGOING, ETH_P_ALL = 263, 8, 4, 0x0003
VLAN_VALID, TPID_VALID = 0x10, 0x40
WAIT_S, GRACE_S = 10.0, 0.2


def receive(port: socket.socket) -> bytes | None:
    """The next frame that came in, with the VLAN tag that the kernel took off it."""
    frame, ancillary, _, address = port.recvmsg(65536, 64)
    if address[2] == PACKET_OUTGOING:
        return None
    for level, kind, data in ancillary:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
            status, _, _, _, _, tci, tpid = struct.unpack("=IIIHHHH", data[:20])
            if status & VLAN_VALID:
                tag = struct.pack("!HH", tpid if status & TPID_VALID else 0x8100, tci)
                frame = frame[:12] + tag + frame[12:]
    return frame


def main() -> None:
    interface, path, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    port.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    port.bind((interface, 0))
    with open(path, encoding="ascii") as lines:
        for line in lines:
            port.send(bytes.fromhex(line))
    received: list[bytes] = []
    end = time.monotonic() + WAIT_S
    while (left := end - time.monotonic()) > 0:
        if not select.select([port], [], [], left)[0]:
            break
        frame = receive(port)
        if frame is not None:
            received.append(frame)
        if len(received) == count:
            end = min(end, time.monotonic() + GRACE_S)
    for frame in received:
        print(frame.hex())


if __name__ == "__main__":
    main()
