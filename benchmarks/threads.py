"""Speedup by threads and by as many independent processes: python benchmarks/threads.py

Each row compares one thread with all threads, and with a process per core that draws the same in the same seconds, in
turns; it has the medians of the ratios. A process shares nothing with the others, so their speedup is the most that the
machine allows.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from statistics import median

import keyrng

LENGTHS = (3e-4, 1e-3, 3e-3)  # seconds of work on one thread
SECONDS, ROUNDS = 0.3, 5  # of each measurement
KEY = keyrng.key(1)
DRAWS: dict[str, Callable[[tuple[int]], object]] = {
    "uniform float32": partial(keyrng.uniform, KEY),
    "normal float32": partial(keyrng.normal, KEY),
    "normal float64": partial(keyrng.normal, KEY, dtype="float64"),
    "gamma(3) float64": partial(keyrng.gamma, KEY, 3.0, dtype="float64"),
    "poisson(5)": partial(keyrng.poisson, KEY, 5.0),
}


def seconds_of(name: str, count: int, start: float = 0.0) -> float:
    """Return the median of the seconds that a draw takes, from the start on."""
    for _ in range(3):
        DRAWS[name]((count,))
    time.sleep(max(0.0, start - time.time()))
    taken, end = [], time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        begun = time.perf_counter()
        DRAWS[name]((count,))
        taken.append(time.perf_counter() - begun)
    return median(taken)


def in_processes(name: str, count: int, processes: int) -> float:
    """Return the median over processes that draw at the same time, on one thread each."""
    command = [sys.executable, __file__, name, str(count), str(time.time() + 2)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
    return median(float(process.communicate()[0]) for process in started)


def one_round(name: str, count: int, cores: int) -> tuple[float, float, float]:
    """Return the seconds on one thread, and the speedups by threads and by processes."""
    keyrng.set_num_threads(1)
    one = seconds_of(name, count)
    keyrng.set_num_threads(None)
    return one, one / seconds_of(name, count), cores * one / in_processes(name, count, cores)


def main() -> None:
    """Print a table, or the seconds of a draw for another process."""
    if len(sys.argv) > 1:
        keyrng.set_num_threads(1)
        print(seconds_of(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
        return
    cores = keyrng.get_num_threads()
    print(f"| draw | 1 thread, us | {cores} threads | {cores} processes |\n|---|---:|---:|---:|")
    for name in DRAWS:
        keyrng.set_num_threads(1)
        each = seconds_of(name, 10**5) / 10**5
        for length in LENGTHS:
            count = int(length / each)
            rounds = [one_round(name, count, cores) for _ in range(ROUNDS)]
            one, threads, processes = (median(column) for column in zip(*rounds, strict=True))
            print(f"| {name} | {one * 1e6:.0f} | {threads:.2f} | {processes:.2f} |", flush=True)


if __name__ == "__main__":
    main()
