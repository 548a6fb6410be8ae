"""Compare the digests of tests/data/values.json with those of this machine, on every available path.

usage: python tests/portability/check.py [--every N] [--numpy | --compiled]

It needs keyrng, NumPy and pytest, so that it runs where little else is installed: under an emulator, for example.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "table")]

import numpy as np  # noqa: E402
from cases import HAVE_BFLOAT16, on  # noqa: E402
from golden import VALUES, values  # noqa: E402
from turn import in_turn  # noqa: E402

from keyrng._executors import native  # noqa: E402


def differences(path: str, every: int) -> tuple[int, list[str]]:
    """How many digests were compared, and what differs."""
    with on(path):
        made = {name: make() for name, make in in_turn(list(values().items()), every)}
    pairs = ((name, now, VALUES.get(name)) for name, now in made.items())
    return len(made), [f"{name}: {now}, expected {was}" for name, now, was in pairs if now != was]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--every", type=int, default=1, metavar="N", help="one of every N digests, by TESTS_TURN (default 1: all)"
    )
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--numpy", action="store_true", help="the NumPy path only")
    only.add_argument("--compiled", action="store_true", help="the compiled part only, which must be there")
    given = parser.parse_args()

    half = "with" if HAVE_BFLOAT16 else "without"
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {half} bfloat16, {platform.machine()}")
    wrong = 0
    compiled_sets = native.instruction_sets()
    if given.compiled and not compiled_sets:
        parser.error(f"there is no compiled part: {native.missing_reason()}")
    for path in [*([] if given.compiled else ["numpy"]), *([] if given.numpy else compiled_sets)]:
        start = time.perf_counter()
        count, changed = differences(path, given.every)
        seconds = time.perf_counter() - start
        print(f"  {path:<9} {count - len(changed)} of {count} digests are equal ({seconds:.0f} s)", flush=True)
        print(*(f"    {line}\n" for line in changed[:10]), sep="", end="")
        wrong += len(changed)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
