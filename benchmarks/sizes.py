"""Nanoseconds per value for 1 to 10**8 values, for keyrng and other libraries: python benchmarks/sizes.py --json FILE

Times single calls that return a new array: small sizes measure the overhead of a call, large ones include memory.
docs/pictures/make.py speed draws the results.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import report
from peers import library, skipped
from timing import ALL_THREADS, ONE_THREAD, Subject, alternate

import keyrng

SIZES = tuple(10**n for n in range(9))
BUDGET = 0.25  # seconds per row, after three rounds


def keyrng_subjects(call: Callable[[], object]) -> list[Subject]:
    names = {"keyrng, 1 thread": ONE_THREAD, "keyrng, all threads": ALL_THREADS}
    return [Subject(name, call, path) for name, path in names.items()]


def jax_subject(call: Callable[[Any, Any], Any]) -> list[Subject]:
    if not (jax := library("jax")):
        return []
    key = jax.random.key(0)
    return [Subject("jax", lambda: call(jax.random, key).block_until_ready())]


def torch_subject(call: Callable[[Any], object]) -> list[Subject]:
    return [Subject("torch", lambda: call(torch))] if (torch := library("torch")) else []


def rows(count: int) -> dict[str, list[Subject]]:
    """Return the same draws with each library; float32 and int32."""
    key, generator, shape = keyrng.key(0), np.random.default_rng(0), (count,)
    numpy = partial(Subject, "numpy PCG64")
    return {
        "uniform": [
            *keyrng_subjects(partial(keyrng.uniform, key, shape)),
            numpy(partial(generator.random, shape, np.float32)),
            *jax_subject(lambda random, k: random.uniform(k, shape)),
            *torch_subject(lambda torch: torch.rand(count)),
        ],
        "normal": [
            *keyrng_subjects(partial(keyrng.normal, key, shape)),
            numpy(partial(generator.standard_normal, shape, np.float32)),
            *jax_subject(lambda random, k: random.normal(k, shape)),
            *torch_subject(lambda torch: torch.randn(count)),
        ],
        "integers below 1000": [
            *keyrng_subjects(partial(keyrng.randint, key, shape, 0, 1000)),
            numpy(partial(generator.integers, 0, 1000, shape, np.int32)),
            *jax_subject(lambda random, k: random.randint(k, shape, 0, 1000)),
            *torch_subject(lambda torch: torch.randint(0, 1000, (count,), dtype=torch.int32)),
        ],
        "gamma(2.0)": [
            *keyrng_subjects(partial(keyrng.gamma, key, 2.0, shape)),
            numpy(partial(generator.standard_gamma, 2.0, shape, np.float32)),
            *jax_subject(lambda random, k: random.gamma(k, 2.0, shape)),
            *torch_subject(lambda torch: torch._standard_gamma(torch.full((count,), 2.0))),
        ],
    }


def measure(largest: int) -> dict[str, Any]:
    """Time every row at every size up to the largest; add machine and versions."""
    results: dict[str, dict[str, dict[str, float]]] = {}
    slow: set[tuple[str, str]] = set()  # subjects that took seconds, skipped at larger sizes
    for count in (size for size in SIZES if size <= largest):
        for sampler, subjects in rows(count).items():
            report.progress(f"{sampler}, {count} ...")
            asked = [s for s in subjects if (sampler, s.name) not in slow]
            # Large arrays take long enough for one call per timing.
            rounds, least = (9, 0.01) if count < 10**7 else (2, 1e-9)
            for result in alternate(sampler, count, asked, rounds, BUDGET, least):
                seconds = min(result.seconds)
                by_count = results.setdefault(sampler, {}).setdefault(result.subject, {})
                by_count[str(count)] = float(f"{1e9 * seconds / count:.4g}")
                if seconds > 0.3:
                    slow.add((sampler, result.subject))
    ALL_THREADS.use()
    return {**report.where_and_when(), "skipped": skipped, "ns per value": results}


def main() -> None:
    parser = argparse.ArgumentParser(description="nanoseconds per value by number of values")
    parser.add_argument("--largest", type=int, default=SIZES[-1], help="values in the largest call")
    parser.add_argument("--json", required=True, metavar="FILE", type=Path)
    options = parser.parse_args()
    report.write(measure(options.largest), "", options.json, None)


if __name__ == "__main__":
    main()
