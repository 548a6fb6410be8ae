"""A small picture of each sampler: 100,000 draws as steps, and the density or mass as a line or points.

The distributions are those of the tests' table.

The pictures have no background and use medium colors, so they are readable on light and dark pages.
docs/pictures/make.py calls this module.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from scipy import stats

import keyrng

TESTS = Path(__file__).resolve().parents[2] / "tests"
sys.path += [str(TESTS), str(TESTS / "table")]

from cases import CASES, Case  # noqa: E402

Array = np.ndarray[Any, np.dtype[Any]]

COUNT = 100_000
COLOURS = "#3f8ae0", "#d9722b", "#3f9a5b"
GREY = "#808080"
STYLE = {
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.edgecolor": GREY,
    "text.color": GREY,
    "axes.labelcolor": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "legend.frameon": False,
    "legend.fontsize": 7,
    "legend.handlelength": 1.0,
    "savefig.transparent": True,
}


@dataclass(frozen=True)
class Shown:
    """A sample, its distribution in scipy's form and its call."""

    label: str
    draw: Callable[[keyrng.Key], Array]
    law: Any  # with a cdf, and a ppf unless there are limits
    whole: bool = False  # integers, by points
    limits: tuple[float, float] | None = None  # of the axis; by default those of nearly all values


class Masses:
    """The distribution on ``first``, ``first + 1``, ... with given weights."""

    def __init__(self, *weights: float, first: int = 0) -> None:
        self.first, self.sums = first, np.concatenate([[0.0], np.cumsum(weights) / sum(weights)])

    def cdf(self, x: Array) -> Array:
        """The probability of a value up to ``x``."""
        return self.sums[np.clip(np.floor(x).astype(int) - self.first + 1, 0, len(self.sums) - 1)]

    def ppf(self, q: float) -> int:
        """The first integer, or the last."""
        return self.first + (0 if q < 0.5 else len(self.sums) - 2)


#: Parameters that show a distribution better than the first ones of its row, and where its axis ends.
BY_HAND: dict[str, tuple[tuple[tuple[float, ...], ...], tuple[float, float] | None]] = {
    "truncated_normal": (((-1.0, 2.0),), None),
    "skew_normal": (((4.0,), (-1.5,)), None),
    "lognormal": (((1.0,), (0.3,)), (0, 6)),
    "cauchy": (((),), (-8, 8)),
    "half_cauchy": (((),), (0, 8)),
    "weibull_min": (((1.0, 0.9), (1.0, 3.0)), None),
    "rayleigh": (((1.0,), (2.0,)), None),
    "pareto": (((1.0,), (3.0,)), (1, 5)),
    "power": (((1.5,), (4.0,)), None),
    "triangular": (((-1.0, 0.0, 3.0),), None),
    "wald": (((1.0,), (3.0,)), (0, 4)),
    "double_sided_maxwell": (((0.0, 1.0),), (-4.5, 4.5)),
    "generalized_normal": (((1.2,), (4.0,)), None),
    "gamma": (((1.0,), (4.0,)), (0, 10)),
    "loggamma": (((0.5,), (4.0,)), None),
    "inverse_gamma": (((1.0,), (4.0,)), (0, 4)),
    "beta": (((2.0, 5.0), (3.0, 1.5)), None),
    "chisquare": (((3.0,), (8.0,)), (0, 25)),
    "t": (((2.0,), (20.0,)), (-6, 6)),
    "f": (((3.0, 8.0), (20.0, 30.0)), (0, 5)),
    "noncentral_chisquare": (((3.0, 1.0), (3.0, 8.0)), (0, 30)),
    "noncentral_f": (((4.0, 9.0, 1.0), (4.0, 9.0, 8.0)), (0, 8)),
    "vonmises": (((0.0, 1.0), (1.0, 8.0)), (-np.pi, np.pi)),
    "randint": (((1, 7),), None),
    "zipf": (((1.5,), (3.0,)), (1, 12)),
    "logseries": (((0.9,), (0.5,)), (1, 12)),
    "bernoulli": (((0.3,),), None),
    "geometric": (((0.2,), (0.5,)), (1, 16)),
    "poisson": (((3.0,), (12.0,)), None),
    "binomial": (((20, 0.2), (20, 0.6)), None),
    "negative_binomial": (((2.0, 0.3), (8.0, 0.4)), (0, 30)),
    "hypergeometric": (((20, 30, 15),), None),
}  # fmt: skip


def from_row(name: str) -> list[Shown]:
    """Return the plots of a sampler that has a row in the tests' table."""
    case = next(case for case in CASES if (case.function or case.name) == name)
    sets, limits = BY_HAND.get(name, ((tuple(case.parameters[0].values()),), None))
    whole = bool({"int32", "bool"} & set(case.dtypes))
    return [_from_values(case, values, limits, whole) for values in sets]


def _from_values(case: Case, values: tuple[float, ...], limits: tuple[float, float] | None, whole: bool) -> Shown:
    name, parameters = case.function or case.name, dict(zip(case.parameters[0], values, strict=True))
    arguments = list(signature(getattr(keyrng, name)).parameters)[1:]
    default = name == "uniform"
    label = ", ".join(
        str(parameters[a]) if a in parameters else "()" for a in arguments[: len(values) + (name == "randint")]
    )
    law = case.distribution(case.dtypes[-1], **parameters)
    return Shown(
        "" if default else label,
        lambda key: getattr(keyrng, name)(key, shape=(COUNT,), **parameters),
        law,
        whole,
        limits,
    )


def by_hand() -> dict[str, list[Shown]]:
    """Return the plots of `bits` and of the samplers without a row."""
    weights = (1.0, 2.0, 4.0, 2.0, 1.0)
    covariance = np.array([[1.0, 0.6], [0.6, 2.0]])
    many = (COUNT,)
    ten = Masses(*[1.0] * 10)
    return {
        "bits": [
            Shown('dtype="uint8"', lambda k: keyrng.bits(k, many, "uint8"), Masses(*[1.0] * 256), whole=True),
        ],
        "dirichlet": [
            Shown(f"[1, 2, 4], part {i}", lambda k, i=i: keyrng.dirichlet(k, np.array([1.0, 2.0, 4.0]), many)[:, i], stats.beta(a, 7 - a))
            for i, a in ((0, 1.0), (2, 4.0))
        ],
        "ball": [
            Shown(f"{d}, one coordinate", lambda k, d=d: keyrng.ball(k, d, 2, many)[:, 0], stats.beta((d + 1) / 2, (d + 1) / 2, loc=-1, scale=2))
            for d in (2, 8)
        ],
        "multivariate_normal": [
            Shown(f"mean, cov, part {i}", lambda k, i=i: keyrng.multivariate_normal(k, np.array([0.0, 3.0]), covariance, many)[:, i], stats.norm(3.0 * i, covariance[i, i] ** 0.5))
            for i in (0, 1)
        ],
        "orthogonal": [
            Shown(f"{n}, one entry", lambda k, n=n: keyrng.orthogonal(k, n, many)[:, 0, 0], stats.beta((n - 1) / 2, (n - 1) / 2, loc=-1, scale=2))
            for n in (3, 8)
        ],
        "wishart": [
            Shown(f"5.0, cov, entry ({i}, {i})", lambda k, i=i: keyrng.wishart(k, 5.0, covariance, many)[:, i, i], stats.chi2(5.0, scale=covariance[i, i]))
            for i in (0, 1)
        ],
        "multinomial": [
            Shown(f"20, [0.2, 0.3, 0.5], class {i}", lambda k, i=i: keyrng.multinomial(k, 20, np.array([0.2, 0.3, 0.5]), shape=(COUNT, 3))[:, i], stats.binom(20, p), whole=True)
            for i, p in enumerate((0.2, 0.3, 0.5))
        ],
        "multivariate_hypergeometric": [
            Shown(f"[10, 15, 25], 20, color {i}", lambda k, i=i: keyrng.multivariate_hypergeometric(k, np.array([10, 15, 25]), 20, shape=many)[:, i], stats.hypergeom(50, c, 20), whole=True)
            for i, c in enumerate((10, 15, 25))
        ],
        "categorical": [Shown("log([1, 2, 4, 2, 1])", lambda k: keyrng.categorical(k, np.log(weights), shape=many), Masses(*weights), whole=True)],
        "choice": [Shown("5, p=[0.1, 0.2, 0.4, 0.2, 0.1]", lambda k: keyrng.choice(k, 5, many, p=np.array(weights) / 10), Masses(*weights), whole=True)],
        "permutation": [Shown("10, its first element", lambda k: keyrng.permutation(keyrng.split(k, COUNT), 10)[:, 0], ten, whole=True)],
        "index_shuffle": [Shown("0, 10", lambda k: keyrng.index_shuffle(keyrng.split(k, COUNT), 0, 10), ten, whole=True)],
        "sample_without_replacement": [Shown("10, its first element", lambda k: keyrng.sample_without_replacement(keyrng.split(k, COUNT), 10), ten, whole=True)],
    }  # fmt: skip


def _limits(shown: Shown) -> tuple[float, float]:
    """The ends of the axis: no quantile beyond eight times the distance of the quartiles, for heavy tails."""
    if shown.limits:
        return shown.limits
    low, first, median, third, high = (float(shown.law.ppf(q)) for q in (0.0005, 0.25, 0.5, 0.75, 0.9995))
    reach = 8 * (third - first)
    return (low, high) if reach == 0 or shown.whole else (max(low, median - reach), min(high, median + reach))


def _histogram(shown: Shown, sample: Array, low: float, high: float) -> tuple[Array, Array]:
    if shown.whole:
        edges = np.arange(int(low), int(high) + 2)
        sample, bins = sample.astype(int), edges - 0.5
    else:
        bins = edges = np.linspace(low, high, 61)
    counts, _ = np.histogram(sample, bins)
    return counts / COUNT / np.diff(edges), bins


def draw(name: str) -> None:
    """The picture of a sampler: every sample with its distribution."""
    pictures = by_hand().get(name) or from_row(name)
    _, axes = plt.subplots(figsize=(3.6, 1.7), layout="constrained")
    top = 0.0
    for i, (shown, colour) in enumerate(zip(pictures, COLOURS, strict=False)):
        low, high = _limits(shown)
        sample = shown.draw(keyrng.fold_in(keyrng.key(0), f"{name} {i}"))
        assert sample.shape == (COUNT,), (name, sample.shape)
        heights, edges = _histogram(shown, sample, low, high)
        label = f"{name}(key, {shown.label})" if shown.label else f"{name}(key)"
        axes.stairs(heights, edges, fill=True, color=colour, alpha=0.35, linewidth=0, label=label)
        if shown.whole and len(heights) <= 64:
            k = np.arange(int(low), int(high) + 1)
            axes.plot(k, np.where(heights > 0, _masses(shown.law, k), np.nan), "o", color=colour, markersize=2.2)
        elif shown.whole:
            ends = np.array([int(low), int(high)])
            axes.plot(ends, _masses(shown.law, ends), color=colour, linewidth=1)
        else:
            x = np.linspace(low, high, 122)
            step = (x[1] - x[0]) * 2.0**-10
            density = (shown.law.cdf(x + step) - shown.law.cdf(x - step)) / (2 * step)
            axes.plot(x[1:-1], density[1:-1], color=colour, linewidth=1)
        top = max(top, np.sort(heights)[-1])
    axes.set(ylim=(0, 1.1 * top), yticks=[])
    if pictures[0].whole:
        axes.xaxis.get_major_locator().set_params(integer=True)
    axes.margins(x=0.02)
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(-0.03, 0.98),
        borderaxespad=0,
        labelspacing=0.2,
        prop={"family": "monospace", "size": 6.5},
    )


def _masses(law: Any, k: Array) -> Array:
    """The probabilities of integers."""
    return law.cdf(k) - law.cdf(k - 1)
