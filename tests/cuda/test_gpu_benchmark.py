"""benchmarks/gpu.py without a GPU: well-formed tables, valid names of targets, and a complete run.

A machine built on NumPy replaces the GPU, because NumPy's Generator has the methods of CuPy's.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from test_gpu_proof import modules, pytestmark  # noqa: F401  # a mark of this module

benchmark = modules


def machine(benchmark: Any) -> Any:
    """A Gpu made of NumPy, timed by the host's clock."""

    class Machine(benchmark.gpu_timing.Gpu):
        device, jax_platform, l2 = "cpu", "none", 4096

        def __init__(self) -> None:
            self.cupy = np

        def generators(self) -> list[Any]:
            return [np.random.default_rng(0)] * 2

        def random_states(self) -> list[Any]:
            generator = np.random.default_rng(0)
            return [SimpleNamespace(random_sample=generator.random, standard_normal=generator.standard_normal)] * 2

        def fills(self) -> dict[str, Any]:
            return {name: lambda out: out.fill(1) for name in ("memset", "cupy fill")}

        def free(self) -> int:
            return 10**6

        def wait(self, _: object = None) -> None:
            pass

        def by_events(self, subject: Any, number: int) -> float:
            return benchmark.gpu_timing.until_done(subject, number)

        def beyond_output(self, draw: Any) -> int:
            return 0

        def facts(self) -> dict[str, Any]:
            return {"name": "NVIDIA H100", "compute capability": "90", "multiprocessors": 132, "MHz": 1980}

    return Machine()


def once(benchmark: Any) -> Any:
    """`alternate` with one round of one call."""
    return lambda group, per, subjects, **_: benchmark.timing.alternate(group, per, subjects, 1, 0.0, 1e-9)


def test_targets_name_what_is_measured(benchmark):
    measured = {(group.name, subject) for group in benchmark.gpu.plan() for subject in group.row.subjects()}
    measured.add(("uniform float32, 2**28", "model of threefry2x32"))
    measured |= {("peak memory", f"keyrng {algorithm}") for algorithm in benchmark.gpu_rows.ALGORITHMS}
    targets = benchmark.report.targets(benchmark.gpu.JUDGED)
    named = {(t.group, who) for t in targets for who in (t.keyrng, t.peer) if who}

    assert named - measured == set()


def test_groups_have_their_own_names(benchmark):
    names = [group.name for group in benchmark.gpu.plan()]

    assert len(names) == len(set(names))


def test_all_rows_run(benchmark, monkeypatch):
    """At 64 values, by keyrng on the CPU and NumPy; torch and jax take too long for a test."""
    monkeypatch.setattr(benchmark.gpu, "alternate", once(benchmark))
    monkeypatch.setattr(benchmark.peers, "library", lambda name: None)
    rows = tuple(replace(row, judged=64, sizes=()) for row in benchmark.gpu_rows.ROWS)
    monkeypatch.setattr(benchmark.gpu_report, "ROWS", rows)
    kept: list[dict[str, Any]] = []

    groups = benchmark.gpu.plan(rows)
    benchmark.gpu.measure(machine(benchmark), groups, 60, kept.append)

    measured = {(row["group"], row["subject"]) for row in kept[-1]["measured"]}
    absent = {"torch", "jax jitted", "jax eager"}
    expected = {(group.name, subject) for group in groups for subject in group.row.subjects() if subject not in absent}
    models = {"uniform float32": 3, "bits": 3, "normal float32": 2}
    assert len(measured - expected) == sum(models.values())
    for group, subject in measured - expected:
        assert group.partition(", ")[0] in models
        assert subject.startswith("model of ")
    assert expected - measured == set()
    assert kept[-1]["skipped"] == []
    text = benchmark.gpu_report.markdown(kept[-1])
    for row in rows:
        assert f"\n| {row.name}, 2**6 | ns per value | Gvalues/s |" in text
    for lines in text.split("\n\n"):
        assert len({line.count("|") for line in lines.splitlines() if line.startswith("|")}) <= 1


def test_what_fails_or_is_late_is_noted(benchmark, monkeypatch):
    monkeypatch.setattr(benchmark.gpu, "alternate", once(benchmark))
    monkeypatch.setattr(benchmark.peers, "library", lambda name: None)
    row = benchmark.gpu_rows.ROWS[0]
    broken = replace(row, judged=64, sizes=(32,), cupy=lambda generator, out: generator.no_such_method())
    first, last = (group for group in benchmark.gpu.plan((broken,)) if group.clock == "device")
    kept: list[dict[str, Any]] = []

    benchmark.gpu.measure(machine(benchmark), [replace(first, size=10**6), first], 60, kept.append)
    benchmark.gpu.measure(machine(benchmark), [first, last], -1, kept.append)

    assert [note.partition(":")[0] for note in kept[1]["skipped"]] == [
        "uniform float32, 1,000,000",
        "uniform float32, 2**6, cupy XORWOW",
        "uniform float32, 2**6, cupy Philox",
    ]
    assert kept[-1]["skipped"] == ["not reached in -1 s: uniform float32, 2**6, uniform float32, 2**5"]
    assert kept[-1]["measured"] == []


def test_buffers_are_larger_than_the_cache(benchmark):
    gpu = machine(benchmark)
    for count in (1, 1000, 10**5):
        buffers = gpu.buffers(count, "float32")
        assert all(len(buffer) == count for buffer in buffers)
        assert sum(buffer.nbytes for buffer in buffers) > 4 * gpu.l2
        assert len({buffer.ctypes.data for buffer in buffers}) == len(buffers)


def test_a_dry_run_lists_the_groups(benchmark, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--dry-run"])

    assert benchmark.gpu.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("uniform float32, 2**28: keyrng threefry2x32, keyrng philox4x32, ")
    assert len(lines) == len(benchmark.gpu.plan())
