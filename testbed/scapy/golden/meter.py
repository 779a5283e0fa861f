"""The two meters, step by step as their RFCs have them: RFC 2697 §3 and RFC 2698 §3.

A token is a byte. Pots are filled eight times a second, each time by an eighth of the rate.
"""

from fractions import Fraction

GREEN, YELLOW, RED = "green", "yellow", "red"
# RFC 2597 §6: AF11, AF12, AF13 are 10, 12, 14, and the other classes eight further each.
PRECEDENCE = {code: (GREEN, YELLOW, RED)[code % 8 // 2 - 1] for code in
              (10, 12, 14, 18, 20, 22, 26, 28, 30, 34, 36, 38)}


class Meter:
    """The pots of one service's limit."""

    def __init__(self, limit: dict):
        self.limit = limit
        self.cir = limit["cir_kbit_s"] * 125
        self.tc = Fraction(limit["cbs_bytes"])
        self.te = Fraction(limit.get("ebs_bytes", 0))
        self.tp = Fraction(limit.get("pbs_bytes", 0))
        self.tick = 0

    def fill(self, tick: int) -> None:
        """Every tick that has passed."""
        while self.tick < tick:
            self.tick += 1
            if self.limit["kind"] == "srtcm":
                # "If Tc is less than CBS, Tc is incremented by one, else if Te is less then EBS, Te is incremented".
                come = Fraction(self.cir, 8)
                taken = min(come, self.limit["cbs_bytes"] - self.tc)
                self.tc += taken
                self.te = min(self.te + come - taken, Fraction(self.limit["ebs_bytes"]))
            else:
                self.tc = min(self.tc + Fraction(self.cir, 8), Fraction(self.limit["cbs_bytes"]))
                peak = Fraction(self.limit["pir_kbit_s"] * 125, 8)
                self.tp = min(self.tp + peak, Fraction(self.limit["pbs_bytes"]))

    def colour(self, tick: int, size: int, dscp: int) -> str:
        """The colour of a packet of so many bytes."""
        self.fill(tick)
        came = PRECEDENCE.get(dscp, GREEN) if self.limit.get("colour_aware") else GREEN
        return self.single(size, came) if self.limit["kind"] == "srtcm" else self.two(size, came)

    def single(self, size: int, came: str) -> str:
        """RFC 2697 §3.2: green if Tc(t)-B >= 0, else yellow if Te(t)-B >= 0, else red."""
        if came == GREEN and self.tc - size >= 0:
            self.tc -= size
            return GREEN
        if came in (GREEN, YELLOW) and self.te - size >= 0:
            self.te -= size
            return YELLOW
        return RED

    def two(self, size: int, came: str) -> str:
        """RFC 2698 §3.2: red if Tp(t)-B < 0, else yellow if Tc(t)-B < 0, else green."""
        if came == RED or self.tp - size < 0:
            return RED
        if came == YELLOW or self.tc - size < 0:
            self.tp -= size
            return YELLOW
        self.tp -= size
        self.tc -= size
        return GREEN
