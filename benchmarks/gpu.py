"""Speed on a GPU of keyrng, cupy.random, torch, jax.random and a fill: python benchmarks/gpu.py --json F --markdown F

See benchmarks/README.md for the measurements and how to read them.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import gpu_report
import numpy as np
import peers
import report
from gpu_rows import ALGORITHMS, NAMES, ROWS, SMALL, Row, size_name
from gpu_timing import Gpu, Subject, until_done, until_queued
from timing import Result, alternate

import keyrng
from keyrng._executors import gpu as found

JUDGED = "gpu_targets.csv"
OVERHEAD = 2**28  # values of the draw whose peak memory is measured

Calls = dict[str, Callable[[Any], object]]


@dataclass(frozen=True)
class Group:
    """Subjects that are timed in turn: a row, the number of values, and the clock."""

    row: Row
    size: int
    clock: str = "device"

    @property
    def name(self) -> str:
        how = {"device": "", "call": "one call of ", "host": "on the host, one call of "}[self.clock]
        return f"{self.row.name}, {how}{size_name(self.size)}"

    @property
    def per(self) -> int:
        """Values per time; single calls are timed per call."""
        return self.size if self.clock == "device" else 1


def plan(rows: tuple[Row, ...] = ROWS) -> list[Group]:
    """Return all groups, those with targets first, because the time may run out."""
    judged = [Group(row, row.judged) for row in rows]
    calls = [Group(row, SMALL, clock) for row in rows if row.single_calls for clock in ("call", "host")]
    groups = judged + calls + [Group(row, size) for row in rows for size in row.sizes]
    targets = {target.group for target in report.targets(JUDGED)}
    return sorted(groups, key=lambda group: group.name not in targets)


class Peers:
    """keyrng and the installed libraries, each with its generator or key."""

    def __init__(self, gpu: Gpu) -> None:
        self.gpu = gpu
        self.skipped: list[str] = []
        self.waits: dict[tuple[str, str], None] = {}  # subjects whose calls block the host, and the row
        self.keys = {f"keyrng {algorithm}": gpu.key(algorithm) for algorithm in ALGORITHMS}
        self.cupy = {"cupy": self._made(gpu.generators), "curand": self._made(gpu.random_states)}
        self.fills = gpu.fills()
        self.torch, self.jax = self._torch(), self._jax()

    def waiting(self) -> str:
        """Return the subjects that cannot be queued on the stream, because their calls block."""
        return ", ".join(f"{subject} in {row}" for subject, row in self.waits) or "none"

    def _made(self, make: Callable[[], list[Any]]) -> list[Any]:
        try:
            return make()
        except Exception as error:
            self.skipped.append(f"cupy's {make.__name__}: {_short(error)}")
            return []

    def _torch(self) -> Any:
        torch = peers.library("torch")
        if torch is not None and self.gpu.device == "cuda" and not torch.cuda.is_available():
            self.skipped.append(f"torch {torch.__version__}: no GPU found")
            return None
        if torch is not None:
            self.torch_generator = torch.Generator(self.gpu.device).manual_seed(0)
        return torch

    def _jax(self) -> Any:
        jax = peers.library("jax")
        if jax is not None and (platform := jax.devices()[0].platform) != self.gpu.jax_platform:
            self.skipped.append(f"jax {jax.__version__}: its device is {platform}")
            return None
        return jax

    def subjects(self, group: Group) -> Iterator[Subject]:
        """Yield the subjects of a group."""
        row, size = group.row, group.size
        buffers = self.gpu.buffers(size, row.dtype)
        clock = {"device": self.gpu.by_events, "call": until_done, "host": until_queued}[group.clock]
        ours = {name: key for name, key in self.keys.items() if key.impl in row.algorithms}
        calls: Calls = {name: partial(row.keyrng, key) for name, key in ours.items()}
        for library, generators in self.cupy.items():
            if call := getattr(row, library):
                calls |= {name: partial(call, g) for name, g in zip(NAMES[library], generators, strict=False)}
        for name, call in (calls | self.fills).items():
            yield Subject(name, call, buffers, clock, self.gpu.wait)
        if row.torch and self.torch:
            call = partial(row.torch, self.torch, self.torch_generator)
            views = [self.torch.from_dlpack(buffer) for buffer in buffers]
            yield Subject(*NAMES["torch"], call, views, clock, self.gpu.wait)
        if row.jax and self.jax:
            # XLA uses streams that our events do not measure.
            clock = until_done if group.clock == "device" else clock
            for name, call in zip(NAMES["jax"], self._jax_calls(row, size), strict=True):
                yield Subject(name, call, buffers, clock, lambda result: result.block_until_ready())

    def _jax_calls(self, row: Row, size: int) -> list[Callable[[Any], object]]:
        jax, key = self.jax, self.jax.random.key(0)
        eager = partial(row.jax, jax.random, n=size)
        jitted = jax.jit(eager)
        if row.dtype != "float64":
            return [lambda out: jitted(key), lambda out: eager(key)]

        def wide(call: Callable[[Any], object]) -> Callable[[Any], object]:
            def in_64_bits(out: Any) -> object:
                with jax.enable_x64(True):
                    return call(key)

            return in_64_bits

        return [wide(jitted), wide(eager)]


def measure(gpu: Gpu, groups: list[Group], limit: float, keep: Callable[[dict[str, Any]], object]) -> None:
    """Time the groups until the limit, in seconds; ``keep`` is called with all results after each group."""
    stop = time.monotonic() + limit
    everybody, facts, judged = Peers(gpu), gpu.facts(), report.targets(JUDGED)
    peaks = overhead(everybody, OVERHEAD)
    results: list[Result] = []
    late: list[str] = []

    def all_there_is() -> dict[str, Any]:
        skipped = everybody.skipped + peers.skipped
        skipped += [f"not reached in {limit:g} s: {', '.join(late)}"] if late else []
        settings = {"judged by": "median", "limit": f"{limit:g} s", "calls that wait for the GPU": everybody.waiting()}
        return report.summary(results, peaks, skipped, settings, judged, facts)

    for group in groups:
        left = stop - time.monotonic()
        if left < 0:
            late.append(group.name)
        elif gpu.free() < 6 * group.size * np.dtype(group.row.dtype).itemsize:
            everybody.skipped.append(f"{group.name}: too little memory")
        else:
            report.progress(f"{group.name} ...")
            results += gpu_report.model(group.row, group.name, group.size, facts)
            results += timed(group, everybody, min(3.0, left))
            keep(all_there_is())
    keep(all_there_is())


def timed(group: Group, everybody: Peers, budget: float) -> list[Result]:
    """Time a group; subjects that fail are omitted with a note."""
    able = []
    try:
        for subject in everybody.subjects(group):
            try:
                subject.time(1)
                able.append(subject)
            except Exception as error:
                everybody.skipped.append(f"{group.name}, {subject.name}: {_short(error)}")
        results = alternate(group.name, group.per, able, rounds=15, budget=budget)
    except Exception as error:
        everybody.skipped.append(f"{group.name}: {_short(error)}")
        return []
    everybody.waits |= {(s.name, group.row.name): None for s in able if s.waits}
    return results


def overhead(everybody: Peers, count: int) -> dict[str, float]:
    """Return the peak memory of a draw of ``count`` uniforms beyond its output, in MiB."""
    peaks = {}
    for name, key in everybody.keys.items():
        try:
            peaks[name] = everybody.gpu.beyond_output(partial(keyrng.uniform, key, (count,))) / 2**20
        except Exception as error:
            everybody.skipped.append(f"peak memory, {name}: {_short(error)}")
    return peaks


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0]}"


def main() -> int:
    parser = argparse.ArgumentParser(description="speed of keyrng and other libraries on a GPU")
    parser.add_argument("--json", metavar="FILE", type=Path)
    parser.add_argument("--markdown", metavar="FILE", type=Path)
    parser.add_argument("--limit", metavar="SECONDS", type=float, default=420, help="start no group after this time")
    parser.add_argument("--dry-run", action="store_true", help="list the measurements; works without a GPU")
    options = parser.parse_args()
    if options.dry_run:
        for group in plan():
            print(f"{group.name}: {', '.join(group.row.subjects())}")
        return 0
    if reason := found.missing_reason():
        print(f"benchmarks/gpu.py needs a GPU: {reason}", file=sys.stderr)
        return 2
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # before jax is imported: the GPU is shared

    def keep(data: dict[str, Any]) -> None:
        report.write(data, gpu_report.markdown(data), options.json, options.markdown)
        latest.update(data)

    latest: dict[str, Any] = {}
    measure(Gpu(found.cupy()), plan(), options.limit, keep)
    # The results have been written to a file.
    print("\n".join(report.target_lines(latest)) if options.markdown else gpu_report.markdown(latest))
    return 0


if __name__ == "__main__":
    sys.exit(main())
