"""A fragment has no ports that a rule could ask for, but addresses; one from elsewhere is what it was without the
rule.
"""

from golden import frame, ip4, tcp


def packets():
    yield frame(ip4(src="203.0.113.7", flags="MF") / tcp()), None
    yield frame(ip4(src="203.0.113.7", flags=0, frag=3) / bytes(16)), None
