"""Whether keyrng works on this GPU, in a minute: python benchmarks/gpu_smoke.py [--small]

Each check compares with the CPU's bits and prints its name, its outcome and its time. The exit status is 1 if one
failed. ``--small`` is for compute-sanitizer: small sizes, an allocation for each array, and neither torch nor jax.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import gpu_bridges  # noqa: F401  # it adds its checks
from gpu_checks import CHECKS, Check, Place, SkippedError

from keyrng._executors import gpu as found

LONGEST = 20  # seconds that a check may take


def run(place: Place, checks: dict[str, Check]) -> list[str]:
    """Run them all, whatever fails, and return the names of those that failed."""
    failed = []
    for name, function in checks.items():
        print(f"{name}: ", end="", flush=True)
        start = time.perf_counter()
        try:
            with within(LONGEST):
                function(place)
                if place.device != "cpu":
                    place.cupy.cuda.runtime.deviceSynchronize()  # an error of a kernel is this check's
            outcome = "ok"
        except SkippedError as reason:
            outcome = f"skipped, {reason}"
        except Exception as error:
            failed.append(name)
            lines = str(error).strip().splitlines() or [""]
            outcome = f"FAILED, {type(error).__name__}: {lines[0][:300]}"
        print(f"{outcome} ({time.perf_counter() - start:.2f} s)", flush=True)
    return failed


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """TimeoutError after so many seconds, where signals can say so."""

    def late(*_: object) -> None:
        raise TimeoutError(f"not done in {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="whether keyrng works on this GPU")
    parser.add_argument("--small", action="store_true", help="small sizes, and neither torch nor jax")
    options = parser.parse_args(arguments)
    if reason := found.missing_reason():
        print(f"benchmarks/gpu_smoke.py needs a GPU: {reason}", file=sys.stderr)
        return 2
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # before jax is imported: the GPU is shared
    if options.small:
        found.cupy().cuda.set_allocator(None)  # in a pool, what lies behind an array belongs to the process too
    failed = run(Place(found.cupy(), small=options.small), CHECKS)
    print(f"{len(CHECKS)} checks, {len(failed)} failed{': ' if failed else ''}{'; '.join(failed)}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
