"""The errors of float32 samples listed in the reference, relative to float64 formulas at the same uniforms."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import numpy as np
import pytest

special = pytest.importorskip("scipy.special")

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "floats.md"
ROWS = {
    name: (tuple(map(float, parameters.split(", "))) if parameters else (), float(all_), float(most))
    for name, parameters, all_, most in re.findall(
        r"^\| `(\w+)` \| ([\d., ]*?) ?\| ([\d.]+) \| ([\d.]+) \|$", PAGE.read_text("utf-8"), re.MULTILINE
    )
}
TINY = float(np.finfo(np.float32).tiny)


class _Lane:
    """A lane of given words."""

    dtype = np.dtype(np.float32)

    def __init__(self, words):
        self._words = words

    def bits(self, width=None):
        return self._words


def _signed(u):
    return 2 * u - 1 + 2.0**-24


def _cauchy(u):
    # The uniform on [2**-23, 1) is rounded, as it is in jax.
    u = (u.astype(np.float32) * np.float32(1 - 2.0**-23) + np.float32(2.0**-23)).astype(np.float64)
    outer = 1 / np.tan(np.pi * np.minimum(u, 1 - u))
    return np.where(u < 0.25, -outer, np.where(u > 0.75, outer, np.tan(np.pi * (u - 0.5))))


def _half_cauchy(u):
    u = u + 2.0**-24
    return np.where(u < 0.5, np.tan(np.pi / 2 * u), 1 / np.tan(np.pi / 2 * (1 - u)))


FORMULAS = {
    "uniform": lambda u: u,
    "exponential": lambda u: -np.log1p(-u),
    "laplace": lambda u: np.sign(_signed(u)) * np.log1p(-abs(_signed(u))),
    "logistic": lambda u: special.logit(np.where(u == 0, TINY, u)),
    "gumbel": lambda u: -np.log(-np.log(np.where(u == 0, TINY, u))),
    "cauchy": _cauchy,
    "half_cauchy": _half_cauchy,
    "normal": lambda u: np.sqrt(2) * special.erfinv(_signed(u)),
    "lognormal": lambda u, sigma: np.exp(sigma * np.sqrt(2) * special.erfinv(_signed(u))),
    "rayleigh": lambda u, scale: scale * np.sqrt(-2 * np.log(np.where(u == 0, 2.0**-24, u))),
    "weibull_min": lambda u, scale, c: scale * (-np.log1p(-u)) ** float(np.float32(1) / np.float32(c)),
    "pareto": lambda u, b: np.exp(-np.log1p(-u) / b),
    "power": lambda u, a: np.exp(np.log1p(-u) / a),
    "triangular": lambda u, left, mode, right: np.where(
        u < (mode - left) / (right - left),
        left + np.sqrt(u * (mode - left) * (right - left)),
        right - np.sqrt((1 - u) * (right - mode) * (right - left)),
    ),
}
_CROSS_ZERO = ("gumbel", "logistic")


def errors(name, parameters, words):
    """The errors of a sampler at the uniforms of words, in ULP."""
    module = importlib.import_module(f"keyrng.distributions.{name}")
    if name == "uniform":
        got = module.uniform_co(_Lane(words))
    else:
        kernel = getattr(module, f"_{name}", None) or getattr(module, f"{name}_kernel")
        got = kernel(_Lane(words), *(np.full(words.shape, p, np.float32) for p in parameters))
    exact = FORMULAS[name]((words >> np.uint32(9)) * 2.0**-23, *parameters)
    size = np.maximum(abs(exact), 1.0 if name in _CROSS_ZERO else TINY)
    return abs(got.astype(np.float64) - exact) / np.ldexp(1.0, np.frexp(size)[1] - 24)


def test_every_formula_is_in_the_table():
    assert sorted(ROWS) == sorted(FORMULAS)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # power's rest of a product, where it is infinite
@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("step", [1021, pytest.param(1, marks=pytest.mark.long)])
def test_precision_is_what_the_reference_says(name, step):
    parameters, most, usual = ROWS[name]
    numbers = np.unique(np.concatenate([np.arange(0, 2**23, step), np.arange(512), 2**23 - 1 - np.arange(512)]))
    found = errors(name, parameters, numbers.astype(np.uint32) << np.uint32(9))

    print(f"{name}: {found.max():.3f}, {np.quantile(found, 0.999):.3f}")
    assert found.max() <= most
    if step == 1:
        assert np.quantile(found, 0.999) <= usual
        assert found.max() >= 0.9 * most
