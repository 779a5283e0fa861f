"""An echo answer is no flow; of GRE there is no service."""

from golden import CLIENT4, IP, VIP4, error4, frame


def packets():
    yield frame(error4(3, IP(src=VIP4, dst=CLIENT4, proto=1) / bytes(8))), None
    yield frame(error4(3, IP(src=VIP4, dst=CLIENT4, proto=47) / bytes(8))), None
