"""A service of any protocol that is keyed by flow: the parameters index of ESP and AH changes in the middle of a session
(RFC 7296 §2.8), so it does not choose the real.
"""

from golden import Pool, ah, chooser, esp, flow_of, frame, ip4, ipip

REALS = {"10.0.0.11": 100, "10.0.0.12": 100, "10.0.0.13": 100}
ANY = {"vip": "198.51.100.10"}


def packets():
    pool = Pool(REALS)
    for host in range(1, 7):
        reals = set()
        for spi in range(0x1000, 0x1004):
            for protocol, payload in ((50, esp(spi)), (51, ah(spi))):
                sent = frame(ip4(src=f"203.0.113.{host}", proto=protocol) / payload)
                real = pool.choose(chooser(flow_of(sent), ANY))
                reals.add((protocol, real))
                yield sent, ipip(sent, real)
        assert len(reals) == 2
