"""Speed of keyrng and other libraries: python benchmarks/run.py [--quick]

See benchmarks/README.md for the measurements and how to read them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path as FilePath
from typing import Any

import compared
import handwritten
import numpy as np
import peers
import report
import samplers
from timing import ALL_THREADS, AVX2, NUMPY_ONLY, ONE_THREAD, Path, Result, Subject, alternate

import keyrng
from keyrng import algorithms
from keyrng._executors import native

PATHS = [ONE_THREAD, ALL_THREADS, NUMPY_ONLY] if native.enabled else [NUMPY_ONLY]
MILLION = 1_000_000

Groups = dict[str, list[Subject]]


def on_paths(call: Callable[[], object], paths: list[Path] = PATHS) -> list[Subject]:
    """Return keyrng's subjects: one call on several paths."""
    return [Subject(path.name, call, path) for path in paths]


def large_draws(count: int) -> Groups:
    """Return draws of long float32 arrays, into one array that is reused."""
    key = keyrng.key(0)
    padded = np.zeros(count + handwritten.PADDING, np.float32)
    out = padded[:count]
    shape = out.shape
    groups = {
        "uniform": on_paths(partial(keyrng.uniform, key, shape, out=out)) + hand_written(key, count, padded),
        "normal": on_paths(partial(keyrng.normal, key, shape, out=out)),
        "bits": all_algorithms(out.view(np.uint32)),
        "gamma(2.0)": on_paths(partial(keyrng.gamma, key, 2.0, shape, out=out)),
    }
    others = peers.large(out)
    groups = {name: subjects + others[name] for name, subjects in groups.items()}
    x = keyrng.normal(key, shape)
    return {**groups, "dropout(0.1)": on_paths(partial(keyrng.dropout, key, x, 0.1)) + peers.dropout(x, 0.1)}


def hand_written(key: keyrng.Key, count: int, padded: np.ndarray) -> list[Subject]:
    """Return the hand-written AVX2 loop, and keyrng restricted to AVX2."""
    try:
        loops = {n: handwritten.uniform(key, count, padded, n) for n in (4, 6)}
    except RuntimeError as error:
        peers.skipped.append(f"hand-written loop: {error}")
        return []
    subjects = on_paths(partial(keyrng.uniform, key, (count,), out=padded[:count]), [AVX2])
    return subjects + [Subject(f"hand-written AVX2, {n} registers", loop) for n, loop in loops.items()]


def all_algorithms(out: np.ndarray) -> list[Subject]:
    """Return draws of words with every algorithm, on one thread."""
    draws = {name: partial(keyrng.bits, keyrng.key(0, impl=name), out.shape, out=out) for name in algorithms.names()}
    return [Subject(name, draw, PATHS[0]) for name, draw in draws.items()]


def single_calls() -> Groups:
    """Return single calls as users write them, dominated by the overhead of Python."""
    key = keyrng.key(0)
    calls: dict[str, Callable[[], object]] = {
        "key(0)": partial(keyrng.key, 0),
        "split(k)": partial(keyrng.split, key),
        "fold_in(k, 1)": partial(keyrng.fold_in, key, 1),
        "uniform(k)": partial(keyrng.uniform, key),
        "normal(k, (10,))": partial(keyrng.normal, key, (10,)),
        "gamma(k, 2.0, (10,))": partial(keyrng.gamma, key, 2.0, (10,)),
        "gamma(k, a), 10 values": partial(keyrng.gamma, key, peers.TEN),
        "randint(k, (10,), 0, 1000)": partial(keyrng.randint, key, (10,), 0, 1000),
        "split(k, 1_000_000)": partial(keyrng.split, key, MILLION),
    }
    others = peers.calls()
    return {name: on_paths(call, PATHS[-2:]) + others[name] for name, call in calls.items()}


def batches() -> Groups:
    """Return draws with a million keys of one uniform each, and with one key of a million uniforms."""
    key = keyrng.key(0)
    out = np.zeros(MILLION, np.float32)
    calls = {
        "a million keys": partial(keyrng.uniform, keyrng.split(key, MILLION), out=out),
        "one key": partial(keyrng.uniform, key, out.shape, out=out),
    }
    subjects = [Subject(f"{name}, {path.name}", call, path) for path in PATHS for name, call in calls.items()]
    return {"a million uniforms": subjects}


def peak_memory(count: int) -> dict[str, float]:
    """Return the peak memory of a draw of ``count`` uniforms beyond its output in MiB, by path."""
    if not FilePath("/proc/self/status").exists():
        peers.skipped.append("peak memory: /proc is not available")
        return {}
    peaks = {}
    for path in PATHS:
        arguments = ["compiled" if path.compiled else "numpy", str(path.threads or 0), str(count)]
        script = FilePath(__file__).with_name("memory.py")
        done = subprocess.run([sys.executable, str(script), *arguments], capture_output=True, text=True, check=True)
        peaks[path.name] = int(done.stdout) / 2**20
    return peaks


def measure(quick: bool, judged_by: str) -> dict[str, Any]:
    """Run all benchmarks."""
    count, rounds, budget = (2**20, 5, 1.0) if quick else (2**24, 21, 30.0)
    fewer = count // 4
    values = {
        **dict.fromkeys(("uniform", "normal", "gamma(2.0)", "bits", "dropout(0.1)"), count),
        "a million uniforms": MILLION,
    }
    families = samplers.groups(fewer, on_paths)
    shuffled = samplers.shuffled(fewer, on_paths)
    values |= dict.fromkeys((*families, *shuffled), fewer) | compared.values()
    results: list[Result] = []
    for group, subjects in {**single_calls(), **batches(), **large_draws(count)}.items():
        report.progress(f"{group} ...")
        results += alternate(group, values.get(group, 1), subjects, rounds, budget)
    for group, subjects in {**families, **samplers.selections(on_paths), **shuffled, **compared.groups()}.items():
        report.progress(f"{group} ...")
        results += alternate(group, values.get(group, 1), subjects, rounds, budget / 4)
    report.progress("peak memory ...")
    peaks = peak_memory(2**26 if quick else 2**28)
    PATHS[0].use()
    settings = {
        "values": f"2**{count.bit_length() - 1} float32; of other samplers 2**{fewer.bit_length() - 1}",
        "rounds at most": rounds,
        "judged by": judged_by,
    }
    return report.summary(results, peaks, peers.skipped, settings, report.targets("targets.csv"))


def main() -> None:
    parser = argparse.ArgumentParser(description="speed of keyrng and other libraries")
    parser.add_argument("--quick", action="store_true", help="fewer values and rounds, for a trial")
    parser.add_argument("--least", action="store_true", help="judge by the fastest rounds, on a shared machine")
    parser.add_argument("--json", metavar="FILE", type=FilePath)
    parser.add_argument("--markdown", metavar="FILE", type=FilePath)
    options = parser.parse_args()
    data = measure(options.quick, "least" if options.least else "median")
    text = report.markdown(data)
    print(text)
    report.write(data, text, options.json, options.markdown)


if __name__ == "__main__":
    main()
