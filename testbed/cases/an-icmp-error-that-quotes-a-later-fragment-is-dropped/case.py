"""There are no ports in it to follow."""

from golden import error4, frame, ip4, reply, tcp


def packets():
    packet = frame(ip4() / tcp())
    yield frame(error4(11, reply(packet, frag=185), code=1)), None
