"""An SPI is 32 bits of one protocol: the same of ESP is another association's (RFC 4301 §4.4.2.1), and the one below is
too."""

from golden import REAL4, ah, esp, frame, ip4, ipip


def packets():
    yield frame(ip4(proto=51) / ah(spi=0xFFFFFFFF)), None
    for number, header in ((51, ah(spi=0xFFFFFFFE)), (50, esp(spi=0xFFFFFFFF)), (50, esp(spi=0xFFFF))):
        packet = frame(ip4(proto=number) / header)
        yield packet, ipip(packet, REAL4)
