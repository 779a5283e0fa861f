"""What a case's counters.toml owes its two captures, whatever the program does: the arithmetic, and the plain
model's agreement.
"""

import re
import tomllib
from pathlib import Path

from .model import Balancer

NAMES = Path(__file__).parents[3] / "dataplane/counters/src/names.rs"


def known_names() -> set[str]:
    """Every counter's full name, from the one place that declares them."""
    names = set()
    for prefix, body in re.findall(r'enum \w+ \("([a-z.]*)"\) \{(.*?)\n    \}', NAMES.read_text(), re.S):
        names |= {prefix + name for name in re.findall(r'= "([a-z_.]+)"', body)}
    return names


def faults(text: str, sent: list[bytes], expected: list[bytes]) -> list[str]:
    """What is wrong with a counters.toml beside its captures: unknown names, sizes, and the sum law."""
    table = tomllib.loads(text)
    counters = {name: value for name, value in table.items() if isinstance(value, int)}
    found = [f"{name} is no counter" for name in sorted(counters.keys() - known_names())]
    found += [f"{name} = 0 says nothing" for name, value in counters.items() if value == 0]
    truth = {
        "rx": len(sent), "rx.bytes": sum(map(len, sent)),
        "tx": len(expected), "tx.bytes": sum(map(len, expected)),
    }
    for name, value in truth.items():
        if counters.get(name, 0) != value:
            found.append(f"{name} is {counters.get(name, 0)}, the capture says {value}")
    lost = sum(value for name, value in counters.items() if name.startswith(("drop.", "punt.")))
    made = counters.get("made", 0)
    if truth["rx"] + made != truth["tx"] + lost:
        found.append(f"rx {truth['rx']} + made {made} is not tx {truth['tx']} + drops and punts {lost}")
    return found


def tallies_of(table: dict, kind: str) -> dict:
    """Tallies of a kind by name, however they are written."""
    found = dict(table.get(kind, {}))
    return found | {key.partition(".")[2]: value for key, value in table.items()
                    if isinstance(value, dict) and key.startswith(f"{kind}.")}


def doubts(text: str, config: str, pairs: list[tuple]) -> list[str]:
    """Where the plain model, given (seconds, sent, expected) of each packet, disagrees with the case."""
    table, model, found = tomllib.loads(text), Balancer(tomllib.loads(config)), []
    for seconds, sent, _ in pairs:
        model.packet(seconds, sent)
    for index, (out, (*_, expected)) in enumerate(zip(model.end(), pairs)):
        if out != expected:
            found.append(f"packet {index}: the model sends something else")
    said = {name: value for name, value in table.items() if isinstance(value, int)}
    counted = model.moved()
    for name in sorted(said.keys() | counted.keys()):
        if said.get(name, 0) != counted.get(name, 0):
            found.append(f"{name} is {said.get(name, 0)}, the model counts {counted.get(name, 0)}")
    # Each rule that decided about a packet is told, and no other.
    ruled = {key.removeprefix("rule.") for key, _ in model.tallies if key.startswith("rule.")}
    found += [f"rule.{name} is not told, and decided about packets" for name in sorted(ruled - tallies_of(table, "rule").keys())]
    for kind in ("real", "service", "responses", "rule"):
        for name, tally in tallies_of(table, kind).items():
            counted = {unit: model.tallies[f"{kind}.{name}", unit] for unit in ("packets", "bytes")}
            if tally != counted:
                found.append(f"{kind}.{name} is {tally}, the model counts {counted}")
    return found
