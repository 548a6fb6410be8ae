"""Rows of the distributions of counts, and distributions in scipy's form that scipy lacks, or has not so far out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from case import INTEGERS, Case


class Ranks:
    """A distribution of integers from 1 to ``largest``, by its ``cdf``."""

    largest: float

    def cdf(self, x: Any) -> Any:
        raise NotImplementedError

    def ppf(self, q: Any) -> Any:
        low, high = np.zeros(np.shape(q)), np.full(np.shape(q), self.largest)
        while (high - low > np.maximum(1.0, high * 2.0**-52)).any():
            middle = np.floor(low + (high - low) / 2)
            enough = self.cdf(middle) >= q
            low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        return high

    def support(self) -> tuple[float, float]:
        return 1.0, self.largest


@dataclass(frozen=True)
class Zipf(Ranks):
    """The Zipf distribution of integers that are not too large."""

    a: float
    largest: float

    def cdf(self, x: Any) -> Any:
        zeta = pytest.importorskip("scipy.special").zeta
        k = np.clip(np.floor(x), 0.0, self.largest)
        return (zeta(self.a, 1) - zeta(self.a, k + 1)) / (zeta(self.a, 1) - zeta(self.a, self.largest + 1))


ROWS: tuple[Case, ...] = (
    Case(
        "zipf",
        INTEGERS,
        parameters=({"a": 2.0}, {"a": 3.5}, {"a": 2.25}),
        distribution=lambda dtype, a: Zipf(a, float(np.iinfo(dtype).max)),
        extremes=tuple({"a": a} for a in (1 + 1e-9, 1.0001, 1.5, 10.0, 50.0, 1000.0)),
        jax=None,
        domain={"a": "above one"},
    ),
)
