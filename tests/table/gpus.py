"""CuPy or its double, for tests that run with both; the fixtures are in conftest.py."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import cupy_double
import cupy_stand_in
import numpy as np
import pytest

from keyrng._executors import gpu

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Gpu:
    """CuPy or its double, the number of devices, and a context manager that forbids synchronization."""

    cupy: Any
    devices: int
    double: bool

    def without_waiting(self, **allowed: bool) -> AbstractContextManager[Any]:
        return without_waiting(**allowed)

    @property
    def real(self) -> bool:
        """Whether this is a GPU, and not a double or the stand-in."""
        return not self.double and not cupy_stand_in.active()

    @property
    def launches(self) -> list[Any]:
        """The recorded launches, which a test may clear; skip the test on a real GPU, which has no record."""
        if self.double:
            return cupy_double.machine().launches
        if not cupy_stand_in.active():
            pytest.skip("a real GPU has no record of launches")
        return cupy_stand_in.record.launches


def is_double() -> bool:
    """Whether CuPy is the double now."""
    return getattr(sys.modules.get("cupy"), "ndarray", None) is cupy_double.ndarray


def without_waiting(**allowed: bool) -> AbstractContextManager[Any]:
    """A ``with`` inside which nothing is copied to the host or waited for, nor uploaded if ``uploads`` is false."""
    if is_double():
        return cupy_double.no_synchronization(**allowed)
    return cupy_stand_in.without_waiting(**allowed) if cupy_stand_in.active() else nullcontext()


def host(array: Any) -> Array:
    """An array of a GPU as NumPy's."""
    return gpu.cupy().asnumpy(array)
