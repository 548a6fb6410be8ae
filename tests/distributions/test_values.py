"""Values are API: what every sampler gives is written down in tests/data/values.json, and holds on every path."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from cases import ALGORITHMS, CASES, HAVE_BFLOAT16, Case, algorithms_on, each_case

import keyrng
from keyrng import initializers

DATA = Path(__file__).parents[1] / "data"
sys.path.insert(0, str(DATA))

from make_values import call_value, rows, value, values  # noqa: E402
from public_calls import CALLS, WITHOUT_VALUES  # noqa: E402

VALUES = json.loads((DATA / "values.json").read_text())

MEANT = """
Values are API. If this change is meant: python tests/data/make_values.py, and a line under *Values* in CHANGELOG.md."""


def compare(made: dict[str, str], path: str) -> None:
    changed = [
        f"{name}: {now}, was {VALUES[name]}" if name in VALUES else f"{name}: no value is written down"
        for name, now in made.items()
        if now != VALUES.get(name)
    ]
    if changed:
        pytest.fail("\n".join([f"{len(changed)} values changed on {path}:", *changed[:10], MEANT]), pytrace=False)


@each_case
def test_values(case: Case, any_path: str) -> None:
    algorithms = algorithms_on(any_path)
    compare({name: value(row, *how) for name, row, *how in rows() if row is case and how[1] in algorithms}, any_path)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_values_of_what_is_no_case(algorithm: str, every_path: str) -> None:
    compare({f"{name} {algorithm}": call_value(name, algorithm) for name in CALLS}, every_path)


@pytest.mark.skipif(not HAVE_BFLOAT16, reason="ml_dtypes is not installed")
def test_no_value_is_forgotten() -> None:
    names = [name for name, _ in values()]
    left = set(VALUES) - set(names)

    assert not left, f"{len(left)} values of what is no longer there, such as {sorted(left)[:3]}{MEANT}"
    assert len(set(names)) == len(names) > 0


def test_all_that_is_public_has_values() -> None:
    public = {*keyrng.__all__, *(f"initializers.{name}" for name in initializers.__all__)}
    have = {case.function or case.name for case in CASES} | {name.partition(" ")[0] for name in CALLS}

    assert sorted(public - have - WITHOUT_VALUES) == []
    assert sorted(WITHOUT_VALUES - public) == []
