"""Fixtures of the whole suite."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cases import PATHS, on


@pytest.fixture(params=PATHS[:2])
def path(request: pytest.FixtureRequest) -> Iterator[str]:
    """NumPy, and the compiled path with its best instruction set; that the others agree is a test of test_laws.py."""
    with on(request.param) as name:
        yield name


@pytest.fixture(params=PATHS)
def every_path(request: pytest.FixtureRequest) -> Iterator[str]:
    """Every executor there is: NumPy, and the compiled path with each instruction set."""
    with on(request.param) as name:
        yield name
