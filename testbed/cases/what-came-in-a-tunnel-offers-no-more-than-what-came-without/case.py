"""The end is opened before the offer is read."""

from golden import REAL4, frame, ip4, ipip, tcp, to_end



def packets():
    def syn(mss):
        return ip4() / tcp(flags="S", options=[("MSS", mss)])

    yield frame(to_end() / syn(1460)), ipip(frame(syn(1400)), REAL4, hop_limit=48)
