"""A smoke test of keyrng on a GPU, about a minute: python benchmarks/gpu_smoke.py [--small]

Each check compares with the bits of the CPU and prints its name, outcome and time. The exit status is 1 if a check
fails. ``--small`` is for compute-sanitizer: small sizes, one allocation per array, without torch and jax.
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

LONGEST = 20  # limit of a check in seconds


def run(place: Place, checks: dict[str, Check]) -> list[str]:
    """Run all checks, continue after failures, and return the names of the failed ones."""
    failed = []
    for name, function in checks.items():
        print(f"{name}: ", end="", flush=True)
        start = time.perf_counter()
        try:
            with within(LONGEST):
                function(place)
                if place.device != "cpu":
                    place.cupy.cuda.runtime.deviceSynchronize()  # errors of kernels belong to this check
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
    """Raise TimeoutError after some seconds, where signals are available."""

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
    parser = argparse.ArgumentParser(description="smoke test of keyrng on this GPU")
    parser.add_argument("--small", action="store_true", help="small sizes, without torch and jax")
    options = parser.parse_args(arguments)
    if reason := found.missing_reason():
        print(f"benchmarks/gpu_smoke.py needs a GPU: {reason}", file=sys.stderr)
        return 2
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # before jax is imported: the GPU is shared
    if options.small:
        found.cupy().cuda.set_allocator(None)  # in a pool, memory past an array is allocated too
    failed = run(Place(found.cupy(), small=options.small), CHECKS)
    print(f"{len(CHECKS)} checks, {len(failed)} failed{': ' if failed else ''}{'; '.join(failed)}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
