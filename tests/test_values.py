"""Values are API: what every sampler gives is written down in tests/data/values.json, and holds on every path."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from cases import HAVE_BFLOAT16, Case, algorithms_on, each_case

DATA = Path(__file__).parent / "data"
sys.path.insert(0, str(DATA))

from make_values import rows, value  # noqa: E402

VALUES = json.loads((DATA / "values.json").read_text())

MEANT = """
Values are API. If this change is meant: python tests/data/make_values.py, and a line under *Values* in CHANGELOG.md."""


@each_case
def test_values(case: Case, any_path: str) -> None:
    changed = []
    for name, row, dtype, algorithm, parameters in rows():
        if row is case and algorithm in algorithms_on(any_path):
            now = value(row, dtype, algorithm, parameters)
            if name not in VALUES:
                changed.append(f"{name}: no value is written down")
            elif now != VALUES[name]:
                changed.append(f"{name}: {now}, was {VALUES[name]}")

    if changed:
        pytest.fail("\n".join([f"{len(changed)} values changed on {any_path}:", *changed[:10], MEANT]), pytrace=False)


@pytest.mark.skipif(not HAVE_BFLOAT16, reason="ml_dtypes is not installed")
def test_no_value_is_forgotten() -> None:
    left = set(VALUES) - {name for name, *_ in rows()}

    assert not left, f"{len(left)} values of what is no longer there, such as {sorted(left)[:3]}{MEANT}"
    assert len({name for name, *_ in rows()}) == len(list(rows())) > 0
