"""A small picture of each sampler: 100,000 draws as steps, and the density or mass as a line or points.

Readable on light and dark pages: no background of its own, and colours between the two. docs/pictures/make.py calls it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from scipy import stats

import keyrng

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
    """A sample, what it is a sample of, and how it was asked for."""

    label: str
    draw: Callable[[keyrng.Key], Array]
    law: Any  # in scipy's form
    whole: bool = False  # integers, by points


def direct(name: str, law: Any, *arguments: Any, whole: bool = False, **named: Any) -> Shown:
    """A sampler called with its parameters in order."""
    words = [str(a) for a in arguments] + [f"{k}={v!r}" for k, v in named.items()]
    function = getattr(keyrng, name)
    return Shown(", ".join(words), lambda key: function(key, *arguments, shape=(COUNT,), **named), law, whole)


class Mass:
    """A distribution on 0, 1, 2, ... with given weights, in scipy's form."""

    def __init__(self, *weights: float, first: int = 0) -> None:
        self.first, self.weights = first, np.array(weights) / sum(weights)

    def pmf(self, k: Array) -> Array:
        """The mass at some integers."""
        return self.weights[k - self.first]

    def ppf(self, q: float) -> int:
        """The first integer, or the last."""
        return self.first + (0 if q < 0.5 else len(self.weights) - 1)


def law(of: type, pdf: Callable[[Array], Array], low: float, high: float) -> Any:
    """A density on an interval, in scipy's form."""
    return of("", (), {"pdf": staticmethod(pdf), "ppf": staticmethod(lambda q: low if q < 0.5 else high)})


def _maxwell(x: Array) -> Array:
    return stats.maxwell.pdf(abs(x)) / 2


def _pictures() -> dict[str, list[Shown]]:
    weights = (1.0, 2.0, 4.0, 2.0, 1.0)
    covariance = np.array([[1.0, 0.6], [0.6, 2.0]])
    many = (COUNT,)
    ten = Mass(*[1.0] * 10)
    return {
        "bits": [
            Shown('dtype="uint8"', lambda k: keyrng.bits(k, many, "uint8"), Mass(*[1.0] * 256), whole=True),
        ],
        "uniform": [Shown("", lambda k: keyrng.uniform(k, many), stats.uniform())],
        "normal": [Shown("", lambda k: keyrng.normal(k, many), stats.norm())],
        "truncated_normal": [direct("truncated_normal", stats.truncnorm(-1.0, 2.0), -1.0, 2.0)],
        "lognormal": [direct("lognormal", _narrow(stats.lognorm(s), 0, 6), s) for s in (1.0, 0.3)],
        "exponential": [Shown("", lambda k: keyrng.exponential(k, many), stats.expon())],
        "cauchy": [Shown("", lambda k: keyrng.cauchy(k, many), _narrow(stats.cauchy(), -8, 8))],
        "laplace": [Shown("", lambda k: keyrng.laplace(k, many), stats.laplace())],
        "logistic": [Shown("", lambda k: keyrng.logistic(k, many), stats.logistic())],
        "gumbel": [Shown("", lambda k: keyrng.gumbel(k, many), stats.gumbel_r())],
        "weibull_min": [direct("weibull_min", stats.weibull_min(c, scale=1.0), 1.0, c) for c in (0.9, 3.0)],
        "rayleigh": [direct("rayleigh", stats.rayleigh(scale=s), s) for s in (1.0, 2.0)],
        "pareto": [direct("pareto", _narrow(stats.pareto(b), 1, 5), b) for b in (1.0, 3.0)],
        "power": [direct("power", stats.powerlaw(a), a) for a in (1.5, 4.0)],
        "triangular": [direct("triangular", stats.triang(0.25, loc=-1, scale=4), -1.0, 0.0, 3.0)],
        "wald": [direct("wald", _narrow(stats.invgauss(m), 0, 4), m) for m in (1.0, 3.0)],
        "maxwell": [Shown("", lambda k: keyrng.maxwell(k, many), stats.maxwell())],
        "double_sided_maxwell": [
            direct("double_sided_maxwell", law(type, _maxwell, -4.5, 4.5), 0.0, 1.0),
        ],
        "generalized_normal": [direct("generalized_normal", stats.gennorm(p), p) for p in (1.2, 4.0)],
        "gamma": [direct("gamma", _narrow(stats.gamma(a), 0, 10), a) for a in (1.0, 4.0)],
        "loggamma": [direct("loggamma", stats.loggamma(a), a) for a in (0.5, 4.0)],
        "beta": [direct("beta", stats.beta(a, b), a, b) for a, b in ((2.0, 5.0), (3.0, 1.5))],
        "chisquare": [direct("chisquare", _narrow(stats.chi2(df), 0, 25), df) for df in (3.0, 8.0)],
        "t": [direct("t", _narrow(stats.t(df), -6, 6), df) for df in (2.0, 20.0)],
        "f": [direct("f", _narrow(stats.f(a, b), 0, 5), a, b) for a, b in ((3.0, 8.0), (20.0, 30.0))],
        "noncentral_chisquare": [direct("noncentral_chisquare", _narrow(stats.ncx2(3.0, nonc), 0, 30), 3.0, nonc) for nonc in (1.0, 8.0)],
        "noncentral_f": [direct("noncentral_f", _narrow(stats.ncf(4.0, 9.0, nonc), 0, 8), 4.0, 9.0, nonc) for nonc in (1.0, 8.0)],
        "vonmises": [direct("vonmises", _narrow(stats.vonmises(c, loc=m), -np.pi, np.pi), m, c) for m, c in ((0.0, 1.0), (1.0, 8.0))],
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
        "randint": [Shown("(), 1, 7", lambda k: keyrng.randint(k, many, 1, 7), stats.randint(1, 7), whole=True)],
        "zipf": [direct("zipf", _narrow(stats.zipf(a), 1, 12), a, whole=True) for a in (1.5, 3.0)],
        "logseries": [direct("logseries", _narrow(stats.logser(p), 1, 12), p, whole=True) for p in (0.9, 0.5)],
        "bernoulli": [Shown("0.3", lambda k: keyrng.bernoulli(k, 0.3, many), stats.bernoulli(0.3), whole=True)],
        "geometric": [direct("geometric", _narrow(stats.geom(p), 1, 16), p, whole=True) for p in (0.2, 0.5)],
        "poisson": [direct("poisson", stats.poisson(m), m, whole=True) for m in (3.0, 12.0)],
        "binomial": [direct("binomial", stats.binom(20, p), 20, p, whole=True) for p in (0.2, 0.6)],
        "negative_binomial": [direct("negative_binomial", _narrow(stats.nbinom(n, p), 0, 30), n, p, whole=True) for n, p in ((2.0, 0.3), (8.0, 0.4))],
        "hypergeometric": [direct("hypergeometric", stats.hypergeom(50, 20, 15), 20, 30, 15, whole=True)],
        "multinomial": [
            Shown(f"20, [0.2, 0.3, 0.5], class {i}", lambda k, i=i: keyrng.multinomial(k, 20, np.array([0.2, 0.3, 0.5]), shape=(COUNT, 3))[:, i], stats.binom(20, p), whole=True)
            for i, p in enumerate((0.2, 0.3, 0.5))
        ],
        "multivariate_hypergeometric": [
            Shown(f"[10, 15, 25], 20, color {i}", lambda k, i=i: keyrng.multivariate_hypergeometric(k, np.array([10, 15, 25]), 20, shape=many)[:, i], stats.hypergeom(50, c, 20), whole=True)
            for i, c in enumerate((10, 15, 25))
        ],
        "rademacher": [Shown("", lambda k: keyrng.rademacher(k, many), Mass(1, 0, 1, first=-1), whole=True)],
        "categorical": [Shown("log([1, 2, 4, 2, 1])", lambda k: keyrng.categorical(k, np.log(weights), shape=many), Mass(*weights), whole=True)],
        "choice": [Shown("5, p=[0.1, 0.2, 0.4, 0.2, 0.1]", lambda k: keyrng.choice(k, 5, many, p=np.array(weights) / 10), Mass(*weights), whole=True)],
        "permutation": [Shown("10, its first element", lambda k: keyrng.permutation(keyrng.split(k, COUNT), 10)[:, 0], ten, whole=True)],
        "index_shuffle": [Shown("0, 10", lambda k: keyrng.index_shuffle(keyrng.split(k, COUNT), 0, 10), ten, whole=True)],
        "sample_without_replacement": [Shown("10, its first element", lambda k: keyrng.sample_without_replacement(keyrng.split(k, COUNT), 10), ten, whole=True)],
    }  # fmt: skip


def _narrow(of: Any, low: float, high: float) -> Any:
    """A distribution of which a part is shown."""
    weight = {"pmf": staticmethod(of.pmf)} if hasattr(of.dist, "pmf") else {"pdf": staticmethod(of.pdf)}
    return type("", (), weight | {"ppf": staticmethod(lambda q: low if q < 0.5 else high)})


def _histogram(shown: Shown, sample: Array, low: float, high: float) -> tuple[Array, Array]:
    if shown.whole:
        edges = np.arange(int(low), int(high) + 2)
        sample, bins = sample.astype(int), edges - 0.5
    else:
        bins = edges = np.linspace(low, high, 61)
    counts, _ = np.histogram(sample, bins)
    return counts / COUNT / np.diff(edges), bins


def draw(name: str, pictures: list[Shown]) -> None:
    """One picture: every sample with its law."""
    _, axes = plt.subplots(figsize=(3.6, 1.7), layout="constrained")
    top = 0.0
    for i, (shown, colour) in enumerate(zip(pictures, COLOURS, strict=False)):
        low, high = float(shown.law.ppf(0.0005)), float(shown.law.ppf(0.9995))
        sample = shown.draw(keyrng.fold_in(keyrng.key(0), f"{name} {i}"))
        assert sample.shape == (COUNT,), (name, sample.shape)
        heights, edges = _histogram(shown, sample, low, high)
        label = f"{name}(key, {shown.label})" if shown.label else f"{name}(key)"
        axes.stairs(heights, edges, fill=True, color=colour, alpha=0.35, linewidth=0, label=label)
        if shown.whole and len(heights) <= 64:
            k = np.arange(int(low), int(high) + 1)
            axes.plot(k, np.where(heights > 0, shown.law.pmf(k), np.nan), "o", color=colour, markersize=2.2)
        elif shown.whole:
            axes.plot([low, high], shown.law.pmf(np.array([int(low), int(high)])), color=colour, linewidth=1)
        else:
            x = np.linspace(low, high, 122)[1:-1]
            axes.plot(x, shown.law.pdf(x), color=colour, linewidth=1)
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


def pictures() -> dict[str, list[Shown]]:
    """What is shown of each sampler."""
    return _pictures()
