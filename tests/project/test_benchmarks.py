"""The benchmarks of the CPU run: each subject once, on its path."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import keyrng
from keyrng._executors import native

HERE = Path(__file__).parents[2] / "benchmarks"
pytestmark = pytest.mark.skipif(not HERE.is_dir(), reason="runs in the source tree")


@pytest.mark.turns(4)
def test_subjects_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(HERE)
    import beside_numpy
    import report
    import run

    groups = {**run.single_calls(), **beside_numpy.groups()}
    before = native.enabled, keyrng.get_num_threads()
    try:
        for subjects in groups.values():
            for subject in subjects:
                assert subject.time(1) > 0
    finally:
        native.enable(before[0])
        keyrng.set_num_threads(None)
        for name in ("beside_numpy", "report", "run"):
            del sys.modules[name]
    measured = set(groups)
    for target in report.targets("targets.csv"):
        assert target.group in measured or "values" not in target.group
