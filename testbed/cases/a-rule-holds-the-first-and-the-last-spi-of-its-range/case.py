"""Both ends of a range of SPIs belong to it, of ESP and of AH (RFC 4303 §2.1, RFC 4302 §2.4), where no protocol is asked
for."""

from golden import REAL4, ah, esp, frame, ip4, ipip


def packets():
    for number, header in ((50, esp), (51, ah)):
        for spi in (255, 256, 4095, 4096):
            packet = frame(ip4(proto=number) / header(spi=spi))
            yield packet, None if 256 <= spi <= 4095 else ipip(packet, REAL4)
