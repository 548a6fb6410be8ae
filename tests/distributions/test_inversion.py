"""Counts by inversion: their distribution functions, and the parameters from which on another method makes counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import count
from typing import Any, NamedTuple

import numpy as np
import pytest

import keyrng
from keyrng.distributions._shared import inversion

KEY = keyrng.key(5)


class Row(NamedTuple):
    """A function of a uniform and of parameters, and its probabilities: the first, and the ratio of k to k - 1."""

    function: Callable[..., Any]
    parameters: tuple[float, ...]
    first: Callable[..., Any]
    ratio: Callable[..., Any]

    def __str__(self) -> str:
        return f"{self.function.__name__}{self.parameters}"


def poisson(lam: float) -> Row:
    return Row(inversion.poisson_count, (lam,), lambda lam: mpmath.exp(-lam), lambda k, lam: lam / k)


def binomial(n: float, p: float) -> Row:
    def none(n: Any, p: Any) -> Any:
        return mpmath.exp(n * mpmath.log1p(-p))

    return Row(inversion.binomial_count, (n, p), none, lambda k, n, p: (n - k + 1) * p / (k * (1 - p)))


def negative_binomial(n: float, p: float) -> Row:
    def none(n: Any, p: Any) -> Any:
        return mpmath.exp(n * mpmath.log(p))

    return Row(inversion.negative_binomial_count, (n, p), none, lambda k, n, p: (n + k - 1) * (1 - p) / k)


def hypergeometric(rare: float, common: float, taken: float) -> Row:
    def none(a: Any, b: Any, n: Any) -> Any:
        fewer, more = sorted((a, n))
        return mpmath.fprod(1 - more / (a + b - i) for i in range(int(fewer)))

    def ratio(k: int, a: Any, b: Any, n: Any) -> Any:
        return (a - k + 1) * (n - k + 1) / (k * (b - n + k))

    return Row(inversion.hypergeometric_count, (rare, common, taken), none, ratio)


def logseries(p: float) -> Row:
    return Row(
        inversion.logseries_count, (p,), lambda p: -p / mpmath.log1p(-p), lambda k, p: p * (k - 1) / k if k > 1 else 1
    )


mpmath = pytest.importorskip("mpmath")

ROWS = [
    *map(poisson, (1e-300, 1e-16, 1e-5, 0.1, 1.0, 7.3, 20.0, 30.0)),
    *(binomial(n, p) for n, p in ((1, 0.5), (10, 0.3), (60, 0.5), (61, 1e-9), (10**6, 3e-5))),
    *(binomial(n, p) for n, p in ((2**53, 3e-15), (9, 1e-300), (9, 0.0))),
    *(negative_binomial(n, p) for n, p in ((3, 0.5), (1e-10, 0.5), (0.3, 0.1), (10.5, 0.1))),
    *(negative_binomial(n, p) for n, p in ((2e6, 1 - 1e-5), (1.0, 1 - 1e-16), (1e-300, 0.1))),
    *(hypergeometric(*n) for n in ((40, 60, 20), (60, 60, 60), (1, 1, 1), (0, 5, 2), (3, 5, 0))),
    *(hypergeometric(*n) for n in ((3, 10**12, 10**12 // 3), (1000, 39_000, 1000))),
    *map(logseries, (1e-300, 1e-9, 0.3, 0.7, 0.9)),
]


def distribution_function(row: Row) -> Iterator[tuple[int, Any]]:
    """Counts, and the exact probabilities of at most each, up to the last count of a probability of 1e-15."""
    exact = [mpmath.mpf(Fraction(x).numerator) / Fraction(x).denominator for x in row.parameters]
    term, total = row.first(*exact), mpmath.mpf(0)
    for k in count(int(row.function is inversion.logseries_count)):
        total += term
        yield k, total
        term *= row.ratio(k + 1, *exact)
        if term < 1e-15 and total > 0.5:
            return


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_distribution_functions(row: Row) -> None:
    parameters = [np.array([x], float) for x in row.parameters]
    with mpmath.workdps(60):
        bounds = [
            (k, below * (1 + sign * mpmath.mpf(2) ** -47), sign)
            for k, below in distribution_function(row)
            for sign in (-1, 1)
        ]
    inside = [(k, float(u), sign) for k, u, sign in bounds if float(u) < 1.0]
    counts = row.function(np.array([u for _, u, _ in inside]), *parameters)

    for found, (k, u, sign) in zip(counts.tolist(), inside, strict=True):
        assert found <= k if sign < 0 else found > k, (k, u)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_largest_uniform_is_a_possible_count(row: Row) -> None:
    # Sums that end below the largest uniform because of rounding must not lead to a count of probability 0.
    *_, (last, _) = distribution_function(row)
    u = np.array([np.nextafter(1.0, 0.0)] * 2)
    many = [np.array([x] * 2, float) for x in row.parameters]
    found = int(row.function(u, *many)[0])

    assert found <= 1.15 * last + 12
    assert found == int(row.function(u, *(x[:1] for x in many))[0])
    if row.function in (inversion.binomial_count, inversion.hypergeometric_count):
        assert found <= min(row.parameters[0], row.parameters[-1] if len(row.parameters) == 3 else row.parameters[0])


# Parameters on both sides of the ends of inversion.
ENDS: list[tuple[str, tuple[str, ...], dict[str, list[float]]]] = [
    ("poisson", ("int8", "int32", "uint64"), {"lam": [30.0, np.nextafter(30.0, 31.0), 0.0, 35.0, 1e-300]}),
    (
        "binomial",
        ("int8", "int64", "float16", "float32", "float64"),
        {"n": [60, 61, 120, 121, 7], "p": [0.5, 0.5, 0.75, 0.25, 0.1]},
    ),
    ("negative_binomial", ("int32", "uint64"), {"n": [5.0, 5.0, 10.5, 10.6, 1e6], "p": [0.1, 0.0999, 0.1, 0.1, 0.5]}),
    (
        "hypergeometric",
        ("int16", "int64"),
        {"ngood": [60, 61, 400, 5, 300], "nbad": [60, 61, 8, 1000, 300], "nsample": [60, 61, 390, 900, 300]},
    ),
    ("logseries", ("int32", "uint64"), {"p": [0.9, np.nextafter(0.9, 1.0), 0.0, 0.99, 0.5]}),
    (
        "noncentral_chisquare",
        ("float16", "float32", "float64"),
        {"df": [1.0, 0.99, 3.0, 2.9, 0.1], "nonc": [2.0, 2.0, 0.0, 7.0, 0.0]},
    ),
    (
        "noncentral_f",
        ("float32", "float64"),
        {"dfnum": [1.0, 0.99, 3.0], "dfden": [2.0, 2.0, 1e-3], "nonc": [2.0, 2.0, 0.0]},
    ),
]


@pytest.mark.parametrize(("name", "dtypes", "parameters"), ENDS, ids=[name for name, *_ in ENDS])
def test_methods_depend_on_the_parameters_of_an_element_only(
    name: str, dtypes: tuple[str, ...], parameters: dict[str, list[float]], any_path: str
) -> None:
    sampler = getattr(keyrng, name)
    arrays = {k: np.array(v) for k, v in parameters.items()}
    size = len(next(iter(arrays.values())))
    for dtype in dtypes:
        together = sampler(KEY, **arrays, shape=(700, size), dtype=dtype)
        for i in range(size):
            alone = sampler(KEY, **{k: v[i].item() for k, v in arrays.items()}, shape=(700, size), dtype=dtype)
            assert (alone[:, i] == together[:, i]).all(), (dtype, i)
            few = sampler(KEY, **{k: v[i].item() for k, v in arrays.items()}, shape=(2, size), dtype=dtype)
            assert (few == alone[:2]).all(), (dtype, i)
