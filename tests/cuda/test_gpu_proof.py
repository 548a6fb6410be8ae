"""benchmarks/gpu_proof.sh and its scripts without a GPU: on the stand-in, with small sizes and stubs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cupy_double
import cupy_stand_in  # noqa: F401  # for the condition of skipif
import numpy as np
import pytest

from keyrng._executors import cuda

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SCRIPT = BENCHMARKS / "gpu_proof.sh"
NAMES = (
    "gpu", "gpu_blocks", "gpu_bridges", "gpu_checks", "gpu_model", "gpu_report", "gpu_rows", "gpu_smoke", "gpu_timing",
    "peers", "report", "timing",
)  # fmt: skip

pytestmark = pytest.mark.skipif(not BENCHMARKS.exists(), reason="this is a part of the repository, without benchmarks")


def on_stand_in(test: Any) -> Any:
    skip = pytest.mark.skipif("not cupy_stand_in.active()", reason="runs on the stand-in: -p cupy_stand_in.plugin")
    return pytest.mark.cuda(skip(test))


@pytest.fixture
def modules() -> Iterator[SimpleNamespace]:
    """The modules of the benchmarks, by their names."""
    before = set(sys.modules)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield SimpleNamespace(**{name: __import__(name) for name in NAMES})
        for name in set(sys.modules) - before & set(NAMES):
            del sys.modules[name]


# The smoke test


@on_stand_in
def test_every_check_passes(modules: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(modules.gpu_smoke, "LONGEST", 600)  # kernels are compiled for the host too
    assert modules.gpu_smoke.main(["--small"]) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[0] for line in lines] == list(modules.gpu_smoke.CHECKS)
    assert all(": ok (" in line or " is not used with --small" in line for line in lines)
    assert last == f"{len(lines)} checks, 0 failed"


@pytest.mark.parametrize("name", ["torch", "jax"])
def test_checks_of_other_libraries_run(modules: Any, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """With keys and arrays on the CPU, where these libraries are."""
    library = pytest.importorskip(name)
    smoke = modules.gpu_smoke
    if name == "torch":
        stream = SimpleNamespace(__cuda_stream__=lambda: (0, 7))
        for attribute, stub in {
            "synchronize": lambda: None,
            "Stream": lambda: stream,
            "stream": lambda _: nullcontext(),
            "current_stream": lambda: stream,
            "_sleep": lambda cycles: None,
        }.items():
            monkeypatch.setattr(library.cuda, attribute, stub)
    with cupy_double.installed(1):
        place = smoke.Place(sys.modules["cupy"], "cpu", small=True)
    chosen = {check: function for check, function in smoke.CHECKS.items() if name in check}

    assert len(chosen) == {"torch": 4, "jax": 1}[name]
    for function in chosen.values():
        function(place)


@on_stand_in
def test_what_fails_does_not_stop_the_rest(
    modules: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    smoke, checks = modules.gpu_smoke, modules.gpu_checks

    def skipped(place: Any) -> None:
        raise smoke.SkippedError("no such library")

    def wrong(place: Any) -> None:
        checks.same(np.float16([1, np.nan]), np.float16([1, 2]))

    monkeypatch.setattr(smoke, "LONGEST", 1)
    chosen = {
        "shapes": lambda place: checks.same(np.zeros(2), np.zeros(3)),
        "bits": wrong,
        "late": lambda place: time.sleep(5),
        "skipped": skipped,
        "good": lambda place: checks.same(np.zeros((0, 2)), np.zeros((0, 2))),
    }

    assert smoke.run(smoke.Place(sys.modules["cupy"]), chosen) == ["shapes", "bits", "late"]
    lines = [line.rpartition(" (")[0] for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "shapes: FAILED, AssertionError: got float64 (2,), the CPU returns float64 (3,)",
        "bits: FAILED, AssertionError: 1 of 2 differ; number 1 is nan (7e00), on the CPU 2.0 (4000)",
        "late: FAILED, TimeoutError: not done in 1 s",
        "skipped: skipped, no such library",
        "good: ok",
    ]


@pytest.mark.parametrize("name", ["gpu", "gpu_smoke", "gpu_blocks"])
def test_without_a_gpu_it_says_so(
    modules: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    module = getattr(modules, name)
    monkeypatch.setattr(module.found, "missing_reason", lambda: "there is none; type: buy one")

    monkeypatch.setattr(sys, "argv", [f"{name}.py"])

    assert module.main() == 2
    assert capsys.readouterr().err == f"benchmarks/{name}.py needs a GPU: there is none; type: buy one\n"


# The times


@on_stand_in
def test_blocks(modules: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    before, measure = cuda._fill, modules.gpu_blocks.measure
    quick = {"rounds": 1, "least": 1e-9}
    monkeypatch.setattr(modules.gpu_blocks, "measure", lambda *args: measure(*args, **quick))
    broken = lambda key, out: 1 / 0  # noqa: E731
    monkeypatch.setitem(modules.gpu_blocks.KERNELS, "broken", (broken, "float32", 10))

    assert modules.gpu_blocks.main(["--values", "700"]) == 1
    assert before is cuda._fill
    text = capsys.readouterr().out
    for kernel in modules.gpu_blocks.KERNELS:
        if kernel != "broken":
            assert f"{kernel}, 700 values: 40 registers, 6 blocks fit\n" in text
    assert "broken: FAILED, ZeroDivisionError: division by zero\n" in text
    assert text.count("| 32 blocks | ") == len(modules.gpu_blocks.KERNELS) - 1


def without_curand(skipped: list[str]) -> list[str]:
    """The stand-in has no cuRAND, whose library would need a device."""
    return [reason for reason in skipped if "curand" not in reason.lower()]


@pytest.fixture
def tiny(modules: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The rows of the benchmark at 64 values, for one round, without other libraries."""
    rows = tuple(replace(row, judged=64, sizes=(32,) if row.sizes else ()) for row in modules.gpu_rows.ROWS)
    plan, alternate = modules.gpu.plan, modules.timing.alternate
    monkeypatch.setattr(modules.gpu, "plan", lambda: plan(rows))
    monkeypatch.setattr(modules.gpu_report, "ROWS", rows)
    monkeypatch.setattr(modules.gpu, "OVERHEAD", 2**10)
    monkeypatch.setattr(modules.gpu, "alternate", lambda *a, **k: alternate(*a[:3], 1, 0.0, 1e-9))
    monkeypatch.setattr(modules.peers, "library", lambda name: None)
    return modules


def run(tiny: Any, monkeypatch: pytest.MonkeyPatch, folder: Path, limit: str) -> tuple[dict[str, Any], str]:
    """The files that benchmarks/gpu.py writes."""
    files = folder / "gpu.json", folder / "gpu.md"
    arguments = ["--limit", limit, "--json", str(files[0]), "--markdown", str(files[1])]
    monkeypatch.setattr(sys, "argv", ["gpu.py", *arguments])
    assert tiny.gpu.main() == 0
    return json.loads(files[0].read_text()), files[1].read_text()


@on_stand_in
def test_a_limit_is_kept_and_what_is_done_is_on_disk(
    tiny: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[int] = []
    timed = tiny.gpu.timed

    def slow(*arguments: Any) -> Any:
        time.sleep(1.0)
        seen.append(len(json.loads((tmp_path / "gpu.json").read_text())["measured"]) if seen else 0)
        return timed(*arguments)

    monkeypatch.setattr(tiny.gpu, "timed", slow)
    data, _ = run(tiny, monkeypatch, tmp_path, "2")
    names = [group.name for group in tiny.gpu.plan()]
    done = dict.fromkeys(row["group"] for row in data["measured"])

    assert 1 <= len(done) <= 3
    assert seen == sorted(set(seen))  # each group was written before the next
    assert without_curand(data["skipped"]) == [f"not reached in 2 s: {', '.join(names[len(done) :])}"]


def test_targets_come_first(modules: Any) -> None:
    targets = {target.group for target in modules.report.targets(modules.gpu.JUDGED)} - {"peak memory"}
    names = [group.name for group in modules.gpu.plan()]

    assert set(names[: len(targets)]) == targets


def test_every_target_has_a_prediction(modules: Any) -> None:
    targets = modules.report.targets(modules.gpu.JUDGED)
    failing = [target.what for target in targets if target.predicted == "fail"]

    assert {target.predicted for target in targets} == {"pass", "about even", "at risk", "fail"}
    assert len(failing) == 8
    assert all(what.startswith("one call") for what in failing)


@pytest.mark.parametrize(
    ("name", "kernel", "algorithm", "speed", "bound"),
    [
        ("NVIDIA H100 80GB HBM3", "unit", "philox4x32", 750, "memory"),
        ("NVIDIA H200", "unit", "philox4x32", 1075, "memory"),
        ("NVIDIA H200", "unit", "threefry2x32", 336, "ALU pipe"),
        ("another", "normal", "philox4x32", 370, "issue"),
    ],
)
def test_what_a_device_could_do(modules: Any, name: str, kernel: str, algorithm: str, speed: float, bound: str) -> None:
    model = modules.gpu_model
    ceiling, by = model.COUNTS[kernel, algorithm].ceiling(model.memory_of(name))

    assert (round(ceiling / 1e9), by) == (speed, bound)


# The script


STUB = """#!/usr/bin/env bash
echo "$*" >>"$CALLS"
hang() { for i in {1..600}; do sleep 0.1; done; }
case "$*" in
    -c*) ;;
    *gpu_smoke.py*--small*) echo "memcheck runs" ;;
    *gpu_smoke.py*) echo "normal: FAILED, AssertionError: 1 of 2 differ"; exit 1 ;;
    *"-m pytest"*) trap 'echo "<testsuites/>" >"$XML"; exit 2' INT; echo "....F"; hang ;;
    *gpu.py*) echo "Traceback: no such thing"; exit 1 ;;
    *gpu_blocks.py*) trap '' INT TERM; hang ;;
    "-m keyrng info") echo "the machine" ;;
    "-m pip list") echo "numpy 2.5.2" ;;
esac
"""


@pytest.mark.skipif(not all(map(shutil.which, ("bash", "timeout", "nproc"))), reason="needs bash and coreutils")
def test_a_step_that_fails_or_hangs_does_not_stop_the_next(tmp_path: Path) -> None:
    """Python is a stub: a check fails, tests heed an interrupt, a benchmark breaks, and another one heeds nothing."""
    stubs, out, calls = tmp_path / "stubs", tmp_path / "out", tmp_path / "calls"
    stubs.mkdir()
    python = stubs / "python"
    python.write_text(STUB)
    sanitizer = stubs / "compute-sanitizer"
    sanitizer.write_text('#!/usr/bin/env bash\necho "compute-sanitizer $*" >>"$CALLS"\n"${@:5}"\n')
    for stub in (python, sanitizer):
        stub.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{stubs}:{os.environ['PATH']}",
        "PYTHON": str(python),
        "CALLS": str(calls),
        "XML": str(out / "tests.xml"),
        "CUPY_CACHE_DIR": str(tmp_path),
    }
    start = time.monotonic()
    done = subprocess.run(
        ["bash", str(SCRIPT), str(out), "18"], capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=60
    )

    assert time.monotonic() - start < 18
    assert done.returncode == 1
    assert sorted(file.name for file in out.iterdir()) == sorted(
        ["env.txt", "smoke.txt", "tests.log", "tests.xml", "gpu.md", "blocks.txt", "memcheck.txt"]
    )
    assert "the machine" in (out / "env.txt").read_text()
    assert "no such thing" in (out / "gpu.md").read_text()
    assert "memcheck runs" in (out / "memcheck.txt").read_text()
    summary = [line for line in done.stdout.splitlines() if ": exit status " in line]
    assert [line.split(",")[0] for line in summary] == [
        "env.txt: exit status 0",
        "smoke.txt: exit status 1",
        "tests.log: exit status 124",
        "gpu.log: exit status 1",
        "blocks.txt: exit status 137",
        "memcheck.txt: exit status 0",
    ]
    assert summary[2].startswith("tests.log: exit status 124, stopped at its limit, ")
    for printed in ("....F", "normal: FAILED"):
        assert printed in done.stdout
    steps = [line for line in calls.read_text().splitlines() if line.startswith(("benchmarks", "-m pytest", "comp"))]
    assert [line.split()[0].removeprefix("benchmarks/") for line in steps] == [
        "gpu_smoke.py",
        "-m",
        "gpu.py",
        "gpu_blocks.py",
        "compute-sanitizer",
        "gpu_smoke.py",
    ]
    files = [word for word in steps[1].split() if word.startswith("tests/")]
    assert {"tests/cuda/test_cuda.py", "tests/distributions/test_laws.py", "tests/docs/test_docs.py"} <= set(files)
    assert all((BENCHMARKS.parent / file).exists() for file in files)


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_the_limits_add_up() -> None:
    """The steps, with the time that an ending step gets, within 540 seconds."""
    limits = [int(line.split()[2]) for line in SCRIPT.read_text().splitlines() if line.startswith("step ")]

    assert len(limits) == 6
    assert sum(limits) <= 515
    assert subprocess.run(["bash", str(SCRIPT)], capture_output=True).returncode == 2
