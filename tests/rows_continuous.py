"""Rows of the samplers that transform uniforms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from case import TRANSFORM, Case, Parameters, by_condition, scipy


@dataclass(frozen=True)
class OnCircle:
    """The von Mises distribution between -pi and pi, in scipy's form; scipy's own goes around, whatever the mean."""

    mu: float
    kappa: float

    def cdf(self, x: Any) -> Any:
        around = scipy("vonmises", self.kappa)
        return np.clip(around.cdf(np.asarray(x) - self.mu) - around.cdf(-np.pi - self.mu), 0.0, 1.0)

    def ppf(self, q: Any) -> Any:
        around = scipy("vonmises", self.kappa)
        turns, fraction = np.divmod(np.asarray(q) + around.cdf(-np.pi - self.mu), 1.0)
        return self.mu + around.ppf(fraction) + 2 * np.pi * turns

    def support(self) -> tuple[float, float]:
        return -np.pi, np.pi


def _interval(rng: np.random.Generator, dtype: str) -> Parameters:
    low = float(rng.normal(0.0, 10.0 ** rng.integers(-3, 4)))
    return {"minval": low, "maxval": low + float(10.0 ** rng.uniform(-2, 4))}


ROWS: tuple[Case, ...] = (
    Case(
        "uniform",
        parameters=({"minval": 0.0, "maxval": 1.0}, {"minval": -1.0, "maxval": 3.3}, {"minval": 0.1, "maxval": 700.0}),
        distribution=lambda dtype, minval, maxval: scipy("uniform", minval, maxval - minval),
        extremes=({"minval": -1e-3, "maxval": 2e4}, {"minval": 10.0, "maxval": 11.0}),
        jax=1,
        fresh=_interval,
        domain={"minval": "finite", "maxval": "finite"},
        refused=(
            ({"minval": 1.0, "maxval": 1.0}, r"minval must be less than maxval.*1\.0 and 1\.0"),
            ({"minval": 3.0, "maxval": 2.0}, r"minval must be less than maxval.*3\.0 and 2\.0"),
            ({"minval": np.array([0.0, 5.0]), "maxval": 2.0}, r"minval must be less than maxval"),
            ({"minval": np.zeros(2), "maxval": np.ones(3)}, r"minval.*\(2,\).*maxval.*\(3,\).*broadcast"),
        ),
    ),
    Case(
        "normal",
        distribution=lambda dtype: scipy("norm"),
        jax={"float32": 4, "float64": 64},
    ),
    Case(
        "truncated_normal",
        parameters=({"lower": -1.0, "upper": 3.5}, {"lower": 0.5, "upper": 4.0}, {"lower": 3.25, "upper": np.inf}),
        distribution=lambda dtype, lower, upper: scipy("truncnorm", lower, upper),
        extremes=(
            {"lower": -1.0, "upper": 2.0},
            {"lower": 0.5, "upper": 0.75},
            {"lower": -np.inf, "upper": np.inf},
            {"lower": -np.inf, "upper": -3.0},
            {"lower": 6.0, "upper": np.inf},
            {"lower": -9.0, "upper": -8.0},
            {"lower": 20.0, "upper": 21.0},
            {"lower": -100.0, "upper": 100.0},
        ),
        jax=by_condition,
        fresh=lambda rng, dtype: {"lower": float(rng.uniform(-3, 1)), "upper": float(rng.uniform(1.1, 3))},
        domain={"lower": "number", "upper": "number"},
        refused=(
            ({"lower": 1.0, "upper": 1.0}, r"lower must be less than upper.*1\.0 and 1\.0"),
            ({"lower": 3.0, "upper": -2.0}, r"lower must be less than upper.*3\.0 and -2\.0"),
            ({"lower": np.zeros(2), "upper": np.ones(3)}, r"lower.*\(2,\).*upper.*\(3,\).*broadcast"),
        ),
    ),
    Case(
        "exponential",
        distribution=lambda dtype: scipy("expon"),
        jax=TRANSFORM,
    ),
    Case(
        "vonmises",
        parameters=({"mu": 0.5, "kappa": 4.0}, {"mu": 3.0, "kappa": 0.25}, {"mu": -20.0, "kappa": 30.0}),
        distribution=lambda dtype, mu, kappa: OnCircle(mu, kappa),
        extremes=(
            {"mu": 0.0, "kappa": 0.0},
            {"mu": 2.0, "kappa": 1e-3},
            {"mu": np.pi, "kappa": 2.0},
            {"mu": 0.0, "kappa": 1e4},
            {"mu": 0.0, "kappa": 1e8},
            {"mu": 2.5, "kappa": 1e8},
        ),
        jax=None,
        domain={"mu": "angle", "kappa": "not negative"},
    ),
)
