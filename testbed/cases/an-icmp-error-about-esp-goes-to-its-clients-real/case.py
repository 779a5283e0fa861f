"""A router on the way says that what a real sent to a client is too big (RFC 1191): it quotes the client's SPI, which is
no flow's to us, so the error goes where the client is. Of SCTP there are no such numbers, and it follows the flow. A
quote that ends before the SPI, and one of a protocol that no service has, lead nowhere."""

from golden import IP, Pool, ah, chooser, error4, esp, flow_of, frame, ip4, ipip

REALS = {"10.0.0.11": 100, "10.0.0.12": 100, "10.0.0.13": 100}
BY_SOURCE = {"vip": "198.51.100.10", "key": "source"}


def packets():
    pool = Pool(REALS)
    for host in (1, 2, 3):
        client = f"203.0.113.{host}"
        for own, number, other in ((esp(), 50, esp(0xABCD0123)), (ah(), 51, ah(0xABCD0123))):
            sent = frame(ip4(proto=number, src=client) / own)
            real = pool.choose(chooser(flow_of(sent), BY_SOURCE))
            yield sent, ipip(sent, real)
            quote = IP(src="198.51.100.10", dst=client, proto=number) / other
            about = flow_of(frame(IP(src=client, dst="198.51.100.10", proto=number) / type(other)(
                spi=0x0123ABCD, **({"payloadlen": 4, "icv": bytes(12)} if number == 51 else {}))))
            told = frame(error4(3, quote, code=4))
            yield told, ipip(told, real, flow=about)
    sent = frame(ip4(proto=132) / bytes(12))
    yield sent, ipip(sent, pool.choose(flow_of(sent)))
    told = frame(error4(3, IP(src="198.51.100.10", dst="203.0.113.7", proto=132) / bytes(12), code=4))
    yield told, ipip(told, pool.choose(flow_of(sent)), flow=flow_of(sent))
    yield frame(error4(3, IP(src="198.51.100.10", dst="203.0.113.7", proto=50) / esp(), code=4, size=23)), None
    yield frame(error4(3, IP(src="198.51.100.10", dst="203.0.113.7", proto=51) / ah(), code=4, size=27)), None
    yield frame(error4(3, IP(src="198.51.100.10", dst="203.0.113.7", proto=47) / bytes(8), code=4)), None
