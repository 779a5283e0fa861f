"""IKE on UDP 500 and 4500, ESP and AH of each of eight clients: one real by the hash of the client's address alone
(RFC 7296 §2.23 moves a session from port to port). From a flow's second packet on its client is entered: three flows
of each client follow that."""

from golden import Pool, ah, chooser, esp, flow_of, frame, ip4, ipip, udp

REALS = {"10.0.0.11": 100, "10.0.0.12": 100, "10.0.0.13": 100}
BY_SOURCE = {"vip": "198.51.100.10", "key": "source"}


def packets():
    pool, reals = Pool(REALS), set()
    for host in range(1, 9):
        client = {"src": f"203.0.113.{host}"}
        ike = ip4(**client) / udp(sport=500, dport=500) / b"IKE_SA_INIT"
        for packet in (ike, ike, ip4(proto=50, **client) / esp(), ip4(proto=51, **client) / ah(),
                       ip4(**client) / udp(sport=4500, dport=4500) / b"\0\0\0\0IKE_AUTH"):
            sent = frame(packet)
            real = pool.choose(chooser(flow_of(sent), BY_SOURCE))
            reals.add(real)
            yield sent, ipip(sent, real)
    assert len(reals) == 3
