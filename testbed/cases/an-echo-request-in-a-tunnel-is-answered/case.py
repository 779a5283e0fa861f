"""The VIP answers whoever handed the packet over, as it does without a tunnel; no share is taken off its hop limit."""

from golden import GRE, echo4, echo6, echo_answer, frame, to_end


def packets():
    for inner in (echo4(), echo6()):
        yield frame(to_end() / GRE() / inner), echo_answer(frame(inner))
