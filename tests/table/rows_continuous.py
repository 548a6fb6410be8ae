"""Rows of the samplers that transform uniforms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from case import (
    TRANSFORM,
    Case,
    DoubleMaxwell,
    Parameters,
    by_cancellation,
    by_condition,
    by_logarithm,
    by_slope,
    scipy,
)


@dataclass(frozen=True)
class OnCircle:
    """The von Mises distribution on [-pi, pi], with SciPy's interface; SciPy's is centered at the mean."""

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


def _from(low: float, high: float, *names: str) -> Callable[[np.random.Generator, str], Parameters]:
    """Parameters between two numbers, of which float32 has the lower halves of the digits too."""
    return lambda rng, dtype: {name: float(np.float32(rng.uniform(low, high))) for name in names}


def _corners(rng: np.random.Generator, dtype: str) -> Parameters:
    return dict(zip(("left", "mode", "right"), np.sort(rng.uniform(-1, 1, 3)).tolist(), strict=True))


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
        jax_share={"float32": 0.95},
        complex=True,
    ),
    Case("half_normal", distribution=lambda dtype: scipy("halfnorm"), jax=None),
    Case(
        "skew_normal",
        parameters=({"a": 4.0}, {"a": -1.5}, {"a": 0.0}),
        distribution=lambda dtype, a: scipy("skewnorm", a) if np.isfinite(a) else scipy("halfnorm"),
        extremes=({"a": 300.0}, {"a": np.inf}),
        jax=None,
        domain={"a": "number"},
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
            {"lower": 30.0, "upper": np.inf},
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
        "maxwell",
        distribution=lambda dtype: scipy("maxwell"),
        jax=TRANSFORM,
    ),
    Case(
        "double_sided_maxwell",
        parameters=({"loc": 0.0, "scale": 1.0}, {"loc": 2.0, "scale": 0.5}, {"loc": -1.0, "scale": 3.0}),
        distribution=lambda dtype, loc, scale: DoubleMaxwell(loc, scale),
        jax=TRANSFORM,
        jax_dtypes=("float32",),
        jax_x64=False,
        fresh=lambda rng, dtype: {"loc": float(rng.normal()), "scale": float(rng.exponential())},
        domain={"loc": "finite", "scale": "non-negative"},
        grows=True,
    ),
    Case(
        "exponential",
        distribution=lambda dtype: scipy("expon"),
        jax=TRANSFORM,
    ),
    Case("cauchy", distribution=lambda dtype: scipy("cauchy"), jax=by_slope),
    Case("half_cauchy", distribution=lambda dtype: scipy("halfcauchy"), jax=None),
    Case("laplace", distribution=lambda dtype: scipy("laplace"), jax=TRANSFORM),
    Case("logistic", distribution=lambda dtype: scipy("logistic"), jax=TRANSFORM),
    Case("gumbel", distribution=lambda dtype: scipy("gumbel_r"), jax=TRANSFORM),
    Case(
        "gumbel high",
        distribution=lambda dtype: scipy("gumbel_r"),
        function="gumbel",
        fixed={"mode": "high"},
        jax=TRANSFORM,
        not_prefix="element i of n also reads word i + n, as in jax",
    ),
    Case(
        "gumbel highest",
        distribution=lambda dtype: scipy("gumbel_r"),
        function="gumbel",
        fixed={"mode": "highest"},
        jax=TRANSFORM,
        not_prefix="element i of n also reads word i + n, as in jax",
    ),
    Case(
        "weibull_min",
        parameters=(
            {"scale": 1.0, "concentration": 1.5},
            {"scale": 2.5, "concentration": 0.5},
            {"scale": 0.1, "concentration": 7.0},
        ),
        distribution=lambda dtype, scale, concentration: scipy("weibull_min", concentration, 0, scale),
        extremes=({"scale": 1.0, "concentration": 0.05}, {"scale": 30.0, "concentration": 300.0}),
        jax=by_logarithm,
        fresh=_from(0.5, 5.0, "scale", "concentration"),
        domain={"scale": "positive", "concentration": "positive"},
        grows=True,
    ),
    Case(
        "rayleigh",
        parameters=({"scale": 1.0}, {"scale": 0.3}, {"scale": 50.0}),
        distribution=lambda dtype, scale: scipy("rayleigh", 0, scale),
        jax=TRANSFORM,
        fresh=_from(0.1, 1.0, "scale"),
        domain={"scale": "positive"},
    ),
    Case(
        "pareto",
        parameters=({"b": 2.5}, {"b": 1.0}, {"b": 0.7}),
        distribution=lambda dtype, b: scipy("pareto", b),
        extremes=({"b": 0.1}, {"b": 100.0}),
        jax=by_logarithm,
        fresh=_from(0.5, 5.0, "b"),
        domain={"b": "positive"},
    ),
    Case(
        "power",
        parameters=({"a": 2.5}, {"a": 1.0}, {"a": 0.3}),
        distribution=lambda dtype, a: scipy("powerlaw", a),
        extremes=({"a": 0.05}, {"a": 100.0}),
        jax=None,
        domain={"a": "positive"},
    ),
    Case(
        "triangular",
        parameters=(
            {"left": -1.0, "mode": 0.5, "right": 2.0},
            {"left": 0.0, "mode": 0.0, "right": 7.0},
            {"left": -3.0, "mode": 1.0, "right": 1.0},
        ),
        distribution=lambda dtype, left, mode, right: scipy(
            "triang", (mode - left) / (right - left), left, right - left
        ),
        extremes=({"left": 1.0, "mode": 1.25, "right": 1.5}, {"left": -2e4, "mode": 0.1, "right": 3e4}),
        jax=TRANSFORM,
        fresh=_corners,
        domain={"left": "finite", "mode": "finite", "right": "finite"},
        refused=(
            ({"left": 1.0, "mode": 1.0, "right": 1.0}, r"left < right must hold, got 1\.0, 1\.0 and 1\.0"),
            ({"left": 0.0, "mode": -0.5, "right": 1.0}, r"left <= mode <= right .* got 0\.0, -0\.5 and 1\.0"),
            ({"left": 0.0, "mode": 1.5, "right": 1.0}, r"left <= mode <= right .* got 0\.0, 1\.5 and 1\.0"),
            ({"left": np.array([0.0, 2.0]), "mode": 1.0, "right": 2.0}, r"left <= mode <= right"),
            ({"left": np.zeros(2), "mode": np.ones(3), "right": 2.0}, r"left.*\(2,\).*mode.*\(3,\).*broadcast"),
        ),
    ),
    Case(
        "lognormal",
        parameters=({"sigma": 1.0}, {"sigma": 0.25}, {"sigma": 2.0}),
        distribution=lambda dtype, sigma: scipy("lognorm", sigma),
        extremes=({"sigma": 1e-3}, {"sigma": 30.0}),
        jax=by_logarithm,
        fresh=_from(0.0, 3.0, "sigma"),
        domain={"sigma": "non-negative"},
        complex=True,
    ),
    Case(
        "wald",
        parameters=({"mean": 1.0}, {"mean": 0.2}, {"mean": 6.0}),
        distribution=lambda dtype, mean: scipy("invgauss", mean),
        extremes=({"mean": 1e-3}, {"mean": 1e4}),
        jax=by_cancellation,
        fresh=_from(0.5, 2.0, "mean"),
        domain={"mean": "positive"},
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
        domain={"mu": "angle", "kappa": "non-negative"},
    ),
)
