"""Rows of the heavy-tailed integers, and SciPy-style distributions, because SciPy's do not reach as far."""

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


@dataclass(frozen=True)
class LogSeries(Ranks):
    """The logarithmic distribution, for ``p`` however near 1: sums, and an integral where they are long."""

    p: float
    largest: float = 2.0**62

    def cdf(self, x: Any) -> Any:
        if self.p == 0:
            return np.where(np.asarray(x) >= 1, 1.0, 0.0)
        k = np.maximum(np.floor(x), 0.0)
        j = np.arange(1, 10_001)
        sums = np.concatenate([[0.0], np.cumsum(np.exp(j * np.log(self.p)) / j)])
        # The integral of exp(-s (k + 1)) / (1 - exp(-s)) from -log(p) on, whose denominator is s - s**2 / 2 + ...
        decay = -np.log1p(self.p - 1.0) * (k + 1)
        rest = pytest.importorskip("scipy.special").exp1(decay) + np.exp(-decay) / (2 * (k + 1))
        normal = -np.log1p(-self.p)
        return np.where(k < j.size, sums[np.minimum(k, j.size).astype(int)] / normal, 1.0 - rest / normal)


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
    Case(
        "logseries",
        INTEGERS,
        parameters=({"p": 0.5}, {"p": 0.1}, {"p": 0.7}),
        distribution=lambda dtype, p: LogSeries(p),
        extremes=({"p": 0.0}, {"p": 1e-10}),
        jax=None,
        domain={"p": "below one"},
    ),
    Case(
        "logseries near one",
        ("int64", "uint64"),
        parameters=({"p": 0.999}, {"p": 1.0 - 1e-6}, {"p": 0.85}),
        distribution=lambda dtype, p: LogSeries(p),
        function="logseries",
        extremes=({"p": 1.0 - 1e-12},),
        jax=None,
        domain={"p": "below one"},
    ),
)
