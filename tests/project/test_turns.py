"""Each test that takes turns is in one turn, and `pytest -m long` runs those of the other turns."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import turn

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize("number", [0, 1, 0xBEEF])
def test_turns_are_parts(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    items = list("abcdefghijk")
    parts = []
    for one in range(3):
        monkeypatch.setattr(turn, "TURN", number + one)
        parts.append(turn.in_turn(items, 3))

    assert sorted(item for part in parts for item in part) == items
    assert {len(part) for part in parts} == {3, 4}
    monkeypatch.setattr(turn, "TURN", None)
    assert turn.in_turn(items, 3) == items


def collected(number: str, *options: str) -> set[str]:
    """The tests of a small file, in which one function takes three turns."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *options]
    done = subprocess.run(
        [*command, str(TESTS / "distributions" / "test_choice.py")],
        env={**os.environ, "TESTS_TURN": number},
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    return {line for line in done.stdout.splitlines() if "::" in line}


def test_pytest_takes_turns() -> None:
    everything, turn_1, others = collected("all"), collected("1"), collected("1", "-m", "long")

    assert turn_1 | others == everything
    assert turn_1 & others == set()
    assert {name.partition("[")[0] for name in turn_1} == {name.partition("[")[0] for name in everything}
    one, two = (sum("a_few_places" in name for name in names) for names in (turn_1, others))
    assert 0 < one == pytest.approx(two / 2, abs=1)
    assert abs(2 * len(collected("1", "-m", "", "--every", "2")) - len(everything)) <= 1
