"""Rows of the distributions of counts, and SciPy-style distributions that SciPy lacks or computes less far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from case import FLOATS, INTEGERS, Case, Integers, Parameters, scipy


@dataclass(frozen=True)
class Hypergeometric:
    """The hypergeometric distribution: scipy's distribution function is NaN between integers."""

    good: int
    bad: int
    sample: int

    def cdf(self, x: Any) -> Any:
        return self._law.cdf(np.floor(x))

    def ppf(self, q: Any) -> Any:
        return self._law.ppf(q)

    def support(self) -> tuple[float, float]:
        low, high = self._law.support()
        return float(low), float(high)

    @property
    def _law(self) -> Any:
        return scipy("hypergeom", self.good + self.bad, self.good, self.sample)


def _chance(least: float) -> Any:
    # jax draws in the dtype of p.
    def fresh(rng: np.random.Generator, dtype: str) -> Parameters:
        kind = np.float64 if dtype.endswith("64") else np.float32
        return {"p": kind(np.exp(rng.uniform(np.log(least), 0.0)))}

    return fresh


ROWS: tuple[Case, ...] = (
    Case(
        "poisson",
        INTEGERS,
        parameters=({"lam": 5.0}, {"lam": 0.4}, {"lam": 30.0}, {"lam": 35.5}),
        distribution=lambda dtype, lam: scipy("poisson", lam),
        extremes=({"lam": 0.0}, {"lam": 1e-3}, {"lam": 1.0}, {"lam": 10.0}),
        jax=None,
        domain={"lam": "mean"},
    ),
    Case(
        "binomial",
        (*INTEGERS, *FLOATS),
        parameters=({"n": 100, "p": 0.3}, {"n": 7, "p": 0.9}, {"n": 1, "p": 0.5}, {"n": 120, "p": 0.55}),
        distribution=lambda dtype, n, p: scipy("binom", n, p),
        extremes=({"n": 0, "p": 0.5}, {"n": 9, "p": 0.0}, {"n": 9, "p": 1.0}, {"n": 120, "p": 0.97}),
        jax=None,
        domain={"n": "whole", "p": "probability"},
    ),
    Case(
        "negative_binomial",
        INTEGERS,
        parameters=({"n": 3.0, "p": 0.8}, {"n": 1.5, "p": 0.9}, {"n": 1.0, "p": 0.7}, {"n": 600.0, "p": 0.95}),
        distribution=lambda dtype, n, p: scipy("nbinom", n, p),
        extremes=({"n": 2.0, "p": 1.0}, {"n": 0.5, "p": 0.9}),
        jax=None,
        domain={"n": "positive, in float64", "p": "chance, in float64"},
        refused=(
            ({"n": 1e18, "p": 1e-9}, r"counts for n 1e\+18 and p 1e-09 may not fit"),
            ({"n": np.ones(2), "p": np.ones(3)}, r"n of shape \(2,\) and p of shape \(3,\) do not broadcast"),
        ),
    ),
    Case(
        "hypergeometric",
        INTEGERS,
        parameters=(
            {"ngood": 30, "nbad": 20, "nsample": 10},
            {"ngood": 20, "nbad": 60, "nsample": 45},
            {"ngood": 100, "nbad": 40, "nsample": 50},
            {"ngood": 120, "nbad": 125, "nsample": 120},
        ),
        distribution=lambda dtype, ngood, nbad, nsample: Hypergeometric(ngood, nbad, nsample),
        extremes=({"ngood": 5, "nbad": 0, "nsample": 3}, {"ngood": 1, "nbad": 1000, "nsample": 30}),
        jax=None,
        domain={"ngood": "whole", "nbad": "whole", "nsample": "whole"},
        refused=(
            ({"ngood": 3, "nbad": 2, "nsample": 6}, "nsample must be at most ngood . nbad, got 6 of 3 and 2"),
            ({"ngood": 3, "nbad": 2**53, "nsample": 6}, r"ngood \+ nbad must be at most 2\*\*53"),
            ({"ngood": np.ones(2), "nbad": np.ones(3), "nsample": 1}, r"ngood.*\(2,\).*nbad.*\(3,\).*broadcast"),
        ),
    ),
    Case(
        "geometric",
        INTEGERS,
        parameters=({"p": 0.5}, {"p": 0.15}, {"p": 0.9}),
        distribution=lambda dtype, p: scipy("geom", p) if p < 1 else Integers(1, 2),
        extremes=({"p": 1.0},),
        jax=dict.fromkeys(INTEGERS, 1),
        jax_dtypes=("int8", "int32", "int64"),
        jax_share=dict.fromkeys(INTEGERS, 0.9999),
        fresh=_chance(0.12),
        domain={"p": "chance"},
    ),
    Case(
        "geometric of rare events",
        ("int32", "uint32", "int64", "uint64"),
        parameters=({"p": 1e-3}, {"p": 1e-6}),
        distribution=lambda dtype, p: scipy("geom", p),
        function="geometric",
        extremes=({"p": 2e-8},),
        jax=dict.fromkeys(INTEGERS, 1),
        jax_dtypes=("int32", "int64"),
        jax_share=dict.fromkeys(INTEGERS, 0.999),
        fresh=_chance(1e-3),
        domain={"p": "chance"},
    ),
)
