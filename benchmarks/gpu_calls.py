"""Time of Python for single calls with a key on a GPU, and for CuPy's generator: python benchmarks/gpu_calls.py

Without a GPU, type ``PYTHONPATH=.:tests:tests/table python benchmarks/gpu_calls.py`` in an environment with
tests/cupy_stand_in/requirements.txt: its launches do nothing. Reports the fastest of many rounds, because other load
only adds time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from timeit import Timer
from typing import Any

import keyrng
from keyrng._executors import gpu

ROUNDS, NUMBER = 40, 200


def calls(key: keyrng.Key, out: Any) -> dict[str, Callable[[], object]]:
    """Return the calls by name."""
    return {
        "uniform(key, (1000,))": lambda: keyrng.uniform(key, (1000,)),
        "normal(key, (1000,))": lambda: keyrng.normal(key, (1000,)),
        "bits(key, (1000,))": lambda: keyrng.bits(key, (1000,)),
        "uniform(key, out=out)": lambda: keyrng.uniform(key, out=out),
        "uniform(key, (1000,), None, -1, 1)": lambda: keyrng.uniform(key, (1000,), None, -1, 1),
        "gamma(key, 2.0, (1000,))": lambda: keyrng.gamma(key, 2.0, (1000,)),
        "bernoulli(key, 0.3, (1000,))": lambda: keyrng.bernoulli(key, 0.3, (1000,)),
        "randint(key, (1000,), 0, 10)": lambda: keyrng.randint(key, (1000,), 0, 10),
        "split(key)": lambda: keyrng.split(key),
        "fold_in(key, 7)": lambda: keyrng.fold_in(key, 7),
    }


def on_stand_in() -> Callable[[int], object]:
    """Start the stand-in and return the function that turns its launches on and off."""
    import cupy_stand_in

    cupy_stand_in.start(1)
    set_idle: Callable[[int], object] = cupy_stand_in.library().stand_in_idle
    return set_idle


def main() -> int:
    set_idle: Callable[[int], object] = lambda on: None  # noqa: E731
    if gpu.missing_reason():
        try:
            set_idle = on_stand_in()
        except (ImportError, RuntimeError) as error:
            print(f"benchmarks/gpu_calls.py needs a GPU or the stand-in: {error}", file=sys.stderr)
            return 2
    cupy = gpu.cupy()
    cupy.cuda.set_allocator(cupy.cuda.MemoryPool().malloc)  # the stand-in has none
    generator = cupy.random.Generator(cupy.random.XORWOW(0))
    ours = calls(keyrng.key(0, device="cuda"), cupy.empty(1000, "float32"))
    subjects = {'Generator.random(1000, "float32")': lambda: generator.random(1000, "float32"), **ours}
    for call in subjects.values():
        call()
    set_idle(1)
    rounds = [{name: Timer(call).timeit(NUMBER) for name, call in subjects.items()} for _ in range(ROUNDS)]
    set_idle(0)
    times = {name: min(taken[name] for taken in rounds) / NUMBER * 1e6 for name in subjects}
    base, *_ = times.values()
    for name, time in times.items():
        print(f"| `{name}` | {time:.1f} us | {time / base:.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
