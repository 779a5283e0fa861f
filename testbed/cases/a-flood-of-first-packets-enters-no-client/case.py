"""A SYN, and a SYN once more, from each of twelve sources: anybody can send those under any name. Flows are entered,
which give way when the table is full; clients, which would not, only by the handshake's last packet (RFC 9293 §3.5)."""

from golden import Pool, chooser, flow_of, frame, ip4, ipip, tcp

REALS = {"10.0.0.11": 100, "10.0.0.12": 100, "10.0.0.13": 100}


def packets():
    pool = Pool(REALS)
    for host, flags in [(host, "S") for host in range(1, 13)] * 2 + [(5, "A"), (5, "A")]:
        sent = frame(ip4(src=f"203.0.113.{host}") / tcp(flags=flags))
        real = pool.choose(chooser(flow_of(sent), {"vip": "198.51.100.10", "key": "source"}))
        yield sent, ipip(sent, real)
