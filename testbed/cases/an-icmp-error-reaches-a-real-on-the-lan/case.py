"""MAC rewrite of an error, with the padding cut."""

from golden import error4, frame, ip4, mac_rewrite, padded, reply, tcp


def packets():
    packet = frame(ip4() / tcp())
    yield packet, mac_rewrite(packet, "02:00:00:00:00:11")
    error = padded(frame(error4(3, reply(packet), code=4)), 80)
    yield error, mac_rewrite(error, "02:00:00:00:00:11")
