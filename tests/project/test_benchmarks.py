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
    import compared
    import run

    groups = {**run.single_calls(), **compared.groups()}
    before = native.enabled, keyrng.get_num_threads()
    try:
        for subjects in groups.values():
            for subject in subjects:
                assert subject.time(1) > 0
    finally:
        native.enable(before[0])
        keyrng.set_num_threads(None)
        for name in ("compared", "run"):
            del sys.modules[name]
