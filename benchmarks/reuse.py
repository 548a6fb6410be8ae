"""Cost of keyrng.debug.check_reuse: microseconds per call, off and on; bytes and microseconds per key.

python benchmarks/reuse.py; reports the fastest of several rounds, because other load only adds time.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from time import perf_counter
from typing import Any

import keyrng

ROUNDS, CALLS = 15, 10_000

generator = keyrng.Generator(0)
ACTS: dict[str, Callable[[keyrng.Key], Any]] = {
    "normal(key, (10,))": lambda key: keyrng.normal(key, (10,)),
    "split(key)": keyrng.split,
    "fold_in(key, 1)": lambda key: keyrng.fold_in(key, 1),
    "generator.normal((10,))": lambda key: generator.normal((10,)),
}


def seconds(act: Callable[[Any], Any], arguments: list[keyrng.Key]) -> float:
    start = perf_counter()
    for argument in arguments:
        act(argument)
    return perf_counter() - start


def main() -> None:
    several = keyrng.split(keyrng.key(0), CALLS)
    keys = list(several)
    print("call | off | on | the check")
    for name, act in ACTS.items():
        off, on = [], []
        for _ in range(ROUNDS):
            off.append(seconds(act, keys))
            with keyrng.debug.check_reuse():
                on.append(seconds(act, keys))
        each = [1e6 * time / CALLS for time in (min(off), min(on), min(on) - min(off))]
        print(name, *(f"{time:.2f}" for time in each), sep=" | ")

    with keyrng.debug.check_reuse():
        tracemalloc.start()
        keyrng.bits(several)
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    off = min(seconds(keyrng.bits, [several]) for _ in range(ROUNDS))
    on = []
    for _ in range(ROUNDS):
        with keyrng.debug.check_reuse():
            on.append(seconds(keyrng.bits, [several]))
    print(f"a key of an array: {1e6 * (min(on) - off) / CALLS:.2f} us, {size / CALLS:.0f} bytes")


if __name__ == "__main__":
    main()
