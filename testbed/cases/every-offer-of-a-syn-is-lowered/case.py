"""Receivers differ in which of several offers they take, and an option of this kind with another length is none: behind it
the next one counts. A wrong checksum stays as wrong as it was.
"""

from golden import REAL4, frame, ip4, ipip, patched, tcp


def packets():
    def syn(first, second, sport):
        return frame(ip4() / tcp(flags="S", sport=sport, options=[("MSS", first), ("MSS", second)]))

    yield syn(1460, 9000, 40000), ipip(syn(1400, 1400, 40000), REAL4)
    yield syn(1380, 1401, 40001), ipip(syn(1380, 1400, 40001), REAL4)

    def odd(offer):
        options = [(2, b"\x05"), ("MSS", offer), ("NOP", None)]
        return frame(ip4() / tcp(flags="S", sport=40002, options=options))

    yield odd(1460), ipip(odd(1400), REAL4)
    for offer in (9000, 1460):
        wrong, still = syn(offer, 1000, 40003), syn(1400, 1000, 40003)
        word = int.from_bytes(wrong[50:52], "big"), int.from_bytes(still[50:52], "big")
        wrong = patched(wrong, 50, (word[0] - 256).to_bytes(2, "big"))
        still = patched(still, 50, (word[1] - 256).to_bytes(2, "big"))
        yield wrong, ipip(still, REAL4)
