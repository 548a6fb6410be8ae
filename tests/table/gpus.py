"""CuPy or its double, for tests that go through both; the fixtures are in conftest.py."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import cupy_double
import numpy as np

from keyrng._executors import gpu

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Gpu:
    """CuPy or its double, how many devices there are, and a ``with`` inside which nobody may wait for them."""

    cupy: Any
    devices: int
    double: bool

    def without_waiting(self, **allowed: bool) -> AbstractContextManager[Any]:
        return cupy_double.no_synchronization(**allowed) if self.double else nullcontext()


def host(array: Any) -> Array:
    """An array of a GPU as NumPy's."""
    return gpu.cupy().asnumpy(array)
