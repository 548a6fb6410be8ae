"""mypy on typical calls: it accepts those that run and reports those that do not."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import keyrng

HERE = Path(__file__).parent
CALLS = HERE / "typed_calls.py"
ROOT = Path(keyrng.__file__).parents[1]

REFUSED = """
import keyrng
key = keyrng.key(0)
keyrng.normal(key, 2.0)  # 1
keyrng.normal(key, ("a",))  # 2
keyrng.normal(key, loc=1)  # 3
keyrng.integers(key, 0, 5)  # 4
key.split()  # 5
keyrng.Generator(0).standard_normal(3)  # 6
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all runs, of which only the first then reads all of keyrng."""
    return tmp_path_factory.mktemp("mypy")


def mypy(path: Path, cache: Path) -> str:
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(cache), "--no-error-summary", str(path)]
    # Found by its path, and so not as an installed package.
    environment = {**os.environ, "MYPYPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, cwd=cache, check=False)
    assert done.stderr == ""
    return done.stdout


def test_calls_that_run_are_accepted(cache: Path) -> None:
    assert mypy(CALLS, cache) == ""


def test_these_calls_run() -> None:
    runpy.run_path(str(CALLS))


def test_mistakes_are_reported(tmp_path: Path, cache: Path) -> None:
    """Help for mistakes, which is given at run time, does not make a type checker accept them."""
    file = tmp_path / "mistakes.py"
    file.write_text(REFUSED)
    lines = [i for i, line in enumerate(REFUSED.splitlines(), 1) if "# " in line]

    reported = [int(line.split(":")[1]) for line in mypy(file, cache).splitlines() if ": error:" in line]

    assert sorted(set(reported)) == lines
