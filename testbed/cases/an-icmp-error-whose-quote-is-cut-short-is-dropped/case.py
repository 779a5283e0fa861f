"""Nothing quoted, half a header, a header without ports: nothing to follow."""

from golden import error4, frame, ip4, reply, tcp


def packets():
    packet = frame(ip4() / tcp())
    for size in (0, 10, 20, 23):
        yield frame(error4(3, reply(packet), size=size)), None
