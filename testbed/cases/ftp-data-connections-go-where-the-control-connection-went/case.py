"""FTP's control connection (RFC 959), then a passive data connection to a port that the server named, and packets of
an active one from port 20: services of one VIP, pool and key know each other's clients."""

from golden import Pool, chooser, flow_of, frame, ip4, ipip, tcp

REALS = {"10.0.0.11": 100, "10.0.0.12": 100, "10.0.0.13": 100}


def packets():
    pool = Pool(REALS)
    for host in (1, 2, 3, 4):
        for head in (tcp(sport=40000, dport=21, flags="S"), tcp(sport=40000, dport=21), tcp(sport=40000, dport=21),
                     tcp(sport=40001, dport=50123, flags="S"), tcp(sport=40001, dport=50123),
                     tcp(sport=40002, dport=20, flags="SA")):
            sent = frame(ip4(src=f"203.0.113.{host}") / head)
            real = pool.choose(chooser(flow_of(sent), {"vip": "198.51.100.10", "key": "source"}))
            yield sent, ipip(sent, real)
