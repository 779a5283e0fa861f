"""The arithmetic that a case's counters.toml owes its two captures, whatever the program does."""

import re
import tomllib
from pathlib import Path

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
    if truth["rx"] != truth["tx"] + lost:
        found.append(f"rx {truth['rx']} is not tx {truth['tx']} + drops and punts {lost}")
    return found
