"""The speeds on the comparison page equal the stored results."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.skipif(not (BENCHMARKS / "results").exists(), reason="the tests run away from the source tree")
def test_the_table_of_speeds_is_what_the_command_writes(monkeypatch) -> None:
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
    import comparison

    text = comparison.PAGE.read_text("utf-8")

    assert comparison.page(text, comparison.newest()) == text, "type: python benchmarks/comparison.py"
