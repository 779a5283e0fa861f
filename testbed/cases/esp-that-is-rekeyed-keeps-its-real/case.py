"""A rekey is another security association with another SPI (RFC 7296 §2.8): another flow, and the client's real."""

from golden import Pool, chooser, esp, flow_of, frame, ip4, ipip

REALS = {"10.0.0.11": 100, "10.0.0.12": 100, "10.0.0.13": 100}


def packets():
    pool = Pool(REALS)
    for spi in (0x1000, 0x1000, 0x1001, 0xC0FFEE, 0xFFFFFFFF, 0x1000):
        sent = frame(ip4(proto=50) / esp(spi))
        real = pool.choose(chooser(flow_of(sent), {"vip": "198.51.100.10", "key": "source"}))
        yield sent, ipip(sent, real)
