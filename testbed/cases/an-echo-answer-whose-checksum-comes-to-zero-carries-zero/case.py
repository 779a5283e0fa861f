"""RFC 1071: the sum is made anew, so the complement of 0xffff is 0x0000 (RFC 1624 §3 on getting this wrong)."""

from golden import echo_answer, frame, icmp4


def packets():
    request = frame(icmp4(8, b"\x12\x34\x00\x01" + b"\xed\xca"))
    yield request, echo_answer(request)
