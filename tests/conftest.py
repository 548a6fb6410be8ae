"""Fixtures of the whole suite."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cases import PATHS, on


@pytest.fixture(params=PATHS)
def path(request: pytest.FixtureRequest) -> Iterator[str]:
    """Every executor there is: NumPy, and the compiled path with each instruction set."""
    with on(request.param) as name:
        yield name
