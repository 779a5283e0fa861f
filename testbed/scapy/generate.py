#!/usr/bin/python3
"""Makes every case's send.pcap and expect.pcap from its case.py, or checks that they are what it makes.

usage: generate.py [--check] [CASE ...]

A CASE is a folder's name under testbed/cases; none is all of them. With --check nothing in the tree is
written: each difference, and each line of a counters.toml that the captures or the plain model contradict,
is one line on standard output, and the exit status is 1.
"""

import argparse
import importlib.util
import os
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True

from golden import ledger, pcap  # noqa: E402  (a case imports the package the same way)

CASES = Path(__file__).resolve().parent.parent / "cases"
FILES = {"config.toml", "case.py", "send.pcap", "expect.pcap", "counters.toml"}
CASE_BYTES_MAX = 20_000
FRAME_BYTES_MAX = 9_216


def load(folder: Path):
    """The case's module."""
    spec = importlib.util.spec_from_file_location("case", folder / "case.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make(folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """Both captures by name, and what is wrong with the case."""
    module = load(folder)
    unit = getattr(module, "UNIT", "us")
    pairs = [(when[0] if when else index * pcap.STEP_S, sent, expected)
             for index, (sent, expected, *when) in enumerate(module.packets())]
    made = {
        "send.pcap": pcap.capture([(seconds, sent) for seconds, sent, _ in pairs], unit, getattr(module, "ORDER", "<")),
        "expect.pcap": pcap.capture([(seconds, out) for seconds, _, out in pairs if out is not None], unit),
    }
    sent, expected = [sent for _, sent, _ in pairs], [out for _, _, out in pairs if out is not None]
    counters, config = ((folder / name).read_text() for name in ("counters.toml", "config.toml"))
    wrong = ledger.faults(counters, sent, expected) + ledger.doubts(counters, config, pairs)
    if not (module.__doc__ or "").strip():
        wrong.append("case.py does not say what it shows")
    if max(map(len, sent + expected), default=0) > FRAME_BYTES_MAX:
        wrong.append(f"a frame is longer than {FRAME_BYTES_MAX} bytes")
    size = sum(map(len, made.values()))
    if size > getattr(module, "BYTES_MAX", CASE_BYTES_MAX):
        wrong.append(f"the captures have {size} bytes, more than a case is worth")
    return made, wrong


def stray_files(folder: Path) -> list[str]:
    """What a case's folder holds too much or too little of."""
    there = {entry.name for entry in folder.iterdir() if entry.name != "__pycache__"}
    return [f"{name} is missing" for name in sorted(FILES - there)] + [
        f"{name} does not belong here" for name in sorted(there - FILES)]


def compare(folder: Path, made: dict[str, bytes], scratch: Path) -> list[str]:
    """Which captures in the tree are not what case.py makes; the made one is kept in `scratch` to look at."""
    found = []
    for name, content in made.items():
        there = (folder / name).read_bytes() if (folder / name).exists() else b""
        if there != content:
            kept = scratch / f"{folder.name}.{name}"
            kept.write_bytes(content)
            common = len(os.path.commonprefix([there, content]))
            found.append(f"{name} differs from what case.py makes, first at byte {common}; see {kept}")
    return found


def main() -> int:
    """Exit status: 0, or 1 when anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, write nothing in the tree")
    parser.add_argument("cases", nargs="*", metavar="CASE", help="folders under testbed/cases")
    arguments = parser.parse_args()
    folders = [CASES / name for name in arguments.cases] or sorted(path for path in CASES.iterdir() if path.is_dir())
    scratch = Path(tempfile.mkdtemp(prefix="penstock-cases-"))
    failed = False
    for folder in folders:
        missing = [name for name in ("case.py", "config.toml", "counters.toml") if not (folder / name).is_file()]
        if missing:
            print(f"{folder.name}: {', '.join(missing)} missing")
            failed = True
            continue
        made, wrong = make(folder)
        if arguments.check:
            wrong += compare(folder, made, scratch)
        else:
            for name, content in made.items():
                (folder / name).write_bytes(content)
        wrong += stray_files(folder)
        for line in wrong:
            print(f"{folder.name}: {line}")
        failed |= bool(wrong)
    if not any(scratch.iterdir()):
        scratch.rmdir()
    print(f"{len(folders)} cases {'checked' if arguments.check else 'made'}" + (", with faults" if failed else ""))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
