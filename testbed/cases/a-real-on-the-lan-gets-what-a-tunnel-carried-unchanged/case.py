"""There is no outer header to write a budget into; where none is left the packet is dropped all the same."""

from golden import frame, ip4, mac_rewrite, tcp, to_end


def packets():
    inner = ip4() / tcp()
    yield frame(to_end() / inner), mac_rewrite(frame(inner), "02:00:00:00:00:11")
    yield frame(to_end(ttl=16) / inner), None
