"""Samplers compared with NumPy's Generator and MKL, in float64 or int64: a million values, and ten values per call.

The parameters of samplers with parameters are new in every call that draws ten values.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import cycle
from typing import Any

import numpy as np
import peers
from timing import ONE_THREAD, Subject

import keyrng

MILLION, TEN = 1 << 20, 10
_MANY = "a million, float64 or integers"

#: keyrng's function with the arguments after the key, NumPy's and MKL's method with its arguments; SHAPE is the shape
#: or the size, and A, B, C and N are numbers: two between 0.5 and 6, a probability, and an integer.
Row = tuple[str, tuple[Any, ...], str, tuple[Any, ...], str]
SHAPE, A, B, C, N = "SHAPE", "A", "B", "C", "N"

ROWS: dict[str, Row] = {
    "uniform": ("uniform", (SHAPE, "float64"), "random", (SHAPE,), "random_sample"),
    "uniform(a, b)": ("uniform", (SHAPE, "float64", -1.5, A), "uniform", (-1.5, A, SHAPE), "uniform"),
    "normal": ("normal", (SHAPE, "float64"), "standard_normal", (SHAPE,), "standard_normal"),
    "exponential": ("exponential", (SHAPE, "float64"), "standard_exponential", (SHAPE,), "standard_exponential"),
    "gamma": ("gamma", (A, SHAPE, "float64"), "standard_gamma", (A, SHAPE), "standard_gamma"),
    "beta": ("beta", (A, B, SHAPE, "float64"), "beta", (A, B, SHAPE), "beta"),
    "chisquare": ("chisquare", (A, SHAPE, "float64"), "chisquare", (A, SHAPE), "chisquare"),
    "t": ("t", (A, SHAPE, "float64"), "standard_t", (A, SHAPE), "standard_t"),
    "f": ("f", (A, B, SHAPE, "float64"), "f", (A, B, SHAPE), "f"),
    "laplace": ("laplace", (SHAPE, "float64"), "laplace", (0.0, 1.0, SHAPE), "laplace"),
    "gumbel": ("gumbel", (SHAPE, "float64"), "gumbel", (0.0, 1.0, SHAPE), "gumbel"),
    "logistic": ("logistic", (SHAPE, "float64"), "logistic", (0.0, 1.0, SHAPE), "logistic"),
    "lognormal": ("lognormal", (C, SHAPE, "float64"), "lognormal", (0.0, C, SHAPE), "lognormal"),
    "cauchy": ("cauchy", (SHAPE, "float64"), "standard_cauchy", (SHAPE,), "standard_cauchy"),
    "pareto": ("pareto", (A, SHAPE, "float64"), "pareto", (A, SHAPE), "pareto"),
    "power": ("power", (A, SHAPE, "float64"), "power", (A, SHAPE), "power"),
    "rayleigh": ("rayleigh", (A, SHAPE, "float64"), "rayleigh", (A, SHAPE), "rayleigh"),
    "wald": ("wald", (A, SHAPE, "float64"), "wald", (A, 1.0, SHAPE), "wald"),
    "weibull_min": ("weibull_min", (1.0, A, SHAPE, "float64"), "weibull", (A, SHAPE), "weibull"),
    "triangular": ("triangular", (-1.0, 0.0, A, SHAPE, "float64"), "triangular", (-1.0, 0.0, A, SHAPE), "triangular"),
    "vonmises": ("vonmises", (0.0, A, SHAPE, "float64"), "vonmises", (0.0, A, SHAPE), "vonmises"),
    "noncentral_chisquare": (
        "noncentral_chisquare", (A, B, SHAPE, "float64"), "noncentral_chisquare", (A, B, SHAPE), "noncentral_chisquare",
    ),
    "poisson": ("poisson", (A, SHAPE), "poisson", (A, SHAPE), "poisson"),
    "binomial": ("binomial", (N, C, SHAPE), "binomial", (N, C, SHAPE), "binomial"),
    "geometric": ("geometric", (C, SHAPE), "geometric", (C, SHAPE), "geometric"),
    "negative_binomial": ("negative_binomial", (A, C, SHAPE), "negative_binomial", (A, C, SHAPE), "negative_binomial"),
    "hypergeometric": ("hypergeometric", (N, 40, 20, SHAPE), "hypergeometric", (N, 40, 20, SHAPE), "hypergeometric"),
    "logseries": ("logseries", (C, SHAPE), "logseries", (C, SHAPE), "logseries"),
    "zipf": ("zipf", (2.5, SHAPE), "zipf", (2.5, SHAPE), "zipf"),
    "randint": ("randint", (SHAPE, 0, N, "int64"), "integers", (0, N, SHAPE), "randint"),
}  # fmt: skip

_ZEROS, _TENTHS, _FIFTHS = np.zeros(10), np.full(10, 0.1), np.full(5, 0.2)
_MEAN, _COVARIANCE = np.zeros(4), np.eye(4)

#: Samplers with arrays as parameters: keyrng's and NumPy's call for a number of draws, and the values of a draw.
VECTORS: dict[str, tuple[Callable[[Any, int], object], Callable[[Any, int], object], int]] = {
    "choice(10, p)": (
        lambda key, n: keyrng.choice(key, 10, (n,), p=_TENTHS), lambda rng, n: rng.choice(10, n, p=_TENTHS), 1,
    ),
    "categorical(10)": (
        lambda key, n: keyrng.categorical(key, _ZEROS, shape=(n,)),
        lambda rng, n: rng.choice(10, n, p=_TENTHS), 1,
    ),
    "multinomial(100, 5)": (
        lambda key, n: keyrng.multinomial(key, 100, _FIFTHS, shape=(n, 5)),
        lambda rng, n: rng.multinomial(100, _FIFTHS, n), 5,
    ),
    "dirichlet(3)": (
        lambda key, n: keyrng.dirichlet(key, (1.0, 2.0, 3.0), (n,), "float64"),
        lambda rng, n: rng.dirichlet((1.0, 2.0, 3.0), n), 3,
    ),
    "multivariate_normal(4)": (
        lambda key, n: keyrng.multivariate_normal(key, _MEAN, _COVARIANCE, (n,), "float64"),
        lambda rng, n: rng.multivariate_normal(_MEAN, _COVARIANCE, n, method="cholesky"), 4,
    ),
}  # fmt: skip


def groups() -> dict[str, list[Subject]]:
    """Return the rows as subjects: each for a million values and for ten."""
    made = {}
    for size, text in ((MILLION, _MANY), (TEN, "ten values")):
        made |= {f"{name}, {text}": _subjects(row, size) for name, row in ROWS.items()}
        made |= {f"{name}, {text}": _of_vectors(*row, size) for name, row in VECTORS.items()}
    return made


def values() -> dict[str, int]:
    """Return the number of values of the groups that are timed per value."""
    sizes = dict.fromkeys(ROWS, MILLION) | {name: MILLION // each * each for name, (_, _, each) in VECTORS.items()}
    return {f"{name}, {_MANY}": size for name, size in sizes.items()}


def _subjects(row: Row, size: int) -> list[Subject]:
    function, arguments, method, numpy_arguments, mkl_method = row
    generator, mkl = np.random.default_rng(0), peers.library("mkl_random")
    draw = getattr(keyrng, function)
    keys = list(keyrng.split(keyrng.key(0), 64))
    shape = (size,)
    subjects = [
        Subject(
            ONE_THREAD.name,
            _calls([partial(draw, k, *_given(arguments, shape, i)) for i, k in enumerate(keys)]),
            ONE_THREAD,
        ),
        Subject(
            "numpy PCG64",
            _calls([partial(getattr(generator, method), *_given(numpy_arguments, size, i)) for i in range(64)]),
        ),
    ]
    if mkl is not None:
        mkl_draw = getattr(mkl.MKLRandomState(0), mkl_method)
        subjects.append(
            Subject("MKL MT19937", _calls([partial(mkl_draw, *_given(numpy_arguments, size, i)) for i in range(64)]))
        )
    return subjects


def _of_vectors(ours: Callable[..., object], theirs: Callable[..., object], each: int, size: int) -> list[Subject]:
    keys, generator, draws = list(keyrng.split(keyrng.key(0), 64)), np.random.default_rng(0), max(1, size // each)
    return [
        Subject(ONE_THREAD.name, _calls([partial(ours, key, draws) for key in keys]), ONE_THREAD),
        Subject("numpy PCG64", partial(theirs, generator, draws)),
    ]


def _calls(calls: list[Callable[[], object]]) -> Callable[[], object]:
    """Return a function that makes one of the calls in turn."""
    following = cycle(calls).__next__
    return lambda: following()()


def _given(arguments: tuple[Any, ...], shape: Any, turn: int) -> list[Any]:
    numbers = {A: 0.5 + 5.5 * turn / 64, B: 6.0 - 5.5 * turn / 64, C: 0.1 + 0.8 * turn / 64, N: 100 + 37 * turn}
    return [shape if a == SHAPE else numbers.get(a, a) if isinstance(a, str) else a for a in arguments]
