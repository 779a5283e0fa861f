"""The quoted source must be the VIP that the error is sent to: nobody else sent that packet."""

from golden import error4, frame, ip4, reply, tcp


def packets():
    packet = frame(ip4() / tcp())
    yield frame(error4(3, reply(packet, src="198.51.100.99"))), None
    yield frame(error4(3, packet[14:])), None
