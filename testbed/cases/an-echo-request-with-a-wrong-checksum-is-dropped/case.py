"""RFC 792, RFC 4443 §2.3: a damaged request is not answered."""

from golden import echo4, echo6, frame, patched


def packets():
    yield patched(frame(echo4()), 36, b"\xde\xad"), None
    yield patched(frame(echo6()), 56, b"\xde\xad"), None
