"""No option is added. Behind an option of length 0 or 1, one that ends behind the header, and the end of options nothing is
read; an offer of another length is none; a wrong checksum stays wrong."""

from golden import REAL4, frame, ip4, ipip, patched, tcp



def packets():
    def syn(options, port):
        segment = bytes(tcp(flags="S", sport=port)) + options
        return ip4(proto=6) / patched(segment, 12, bytes([(len(segment) // 4) << 4]))

    offer = b"\x02\x04\x05\xb4"
    for port, options in enumerate((b"", b"\0" * 4 + offer, b"\x05\0" + offer + b"\1\1", b"\x05\1" + offer + b"\1\1",
                                    b"\x02\x03\x05\1", b"\1\1\x05\x07" + offer, b"\1\1\1\x02"), 40000):
        packet = frame(syn(options, port))
        yield packet, ipip(packet, REAL4)
