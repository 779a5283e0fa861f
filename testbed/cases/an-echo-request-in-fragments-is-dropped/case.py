"""A ping larger than the link: its first fragment is not an echo request that could be answered."""

from golden import echo4, frame


def packets():
    yield frame(echo4(bytes(64), flags="MF")), None
