"""Counts by inversion: how exact their distribution functions are, and which method makes which count."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import count
from typing import Any

import numpy as np
import pytest

import keyrng
from keyrng.distributions._shared import inversion

mpmath = pytest.importorskip("mpmath")

# (name, function of the uniform and the parameters, parameters, first count, its probability and the ratio of the next)
Case = tuple[Callable[..., Any], tuple[float, ...], int, Callable[..., Any], Callable[..., Any]]


def poisson(lam: float) -> Case:
    return inversion.poisson_count, (lam,), 0, lambda lam: mpmath.exp(-lam), lambda k, lam: lam / k


def binomial(n: float, p: float) -> Case:
    return (
        inversion.binomial_count, (n, p), 0,
        lambda n, p: mpmath.exp(n * mpmath.log1p(-p)), lambda k, n, p: (n - k + 1) * p / (k * (1 - p)),
    )  # fmt: skip


def negative_binomial(n: float, p: float) -> Case:
    return (
        inversion.negative_binomial_count, (n, p), 0,
        lambda n, p: mpmath.exp(n * mpmath.log(p)), lambda k, n, p: (n + k - 1) * (1 - p) / k,
    )  # fmt: skip


def hypergeometric(rare: float, common: float, taken: float) -> Case:
    def none(a: Any, b: Any, n: Any) -> Any:
        first, second = sorted((a, n))  # the product over the smaller number
        return mpmath.fprod(1 - second / (a + b - i) for i in range(int(first)))

    return (
        inversion.hypergeometric_count, (rare, common, taken), 0, none,
        lambda k, a, b, n: (a - k + 1) * (n - k + 1) / (k * (b - n + k)),
    )  # fmt: skip


def logseries(p: float) -> Case:
    return inversion.logseries_count, (p,), 1, lambda p: -p / mpmath.log1p(-p), lambda k, p: p * (k - 1) / k


CASES = [
    *(poisson(lam) for lam in (1e-300, 1e-16, 1e-5, 0.1, 1.0, 7.3, 20.0, 30.0)),
    *(binomial(n, p) for n, p in ((1, 0.5), (10, 0.3), (60, 0.5), (61, 1e-9), (10**6, 3e-5), (2**53, 3e-15), (9, 1e-300))),
    *(negative_binomial(n, p) for n, p in ((3, 0.5), (1e-10, 0.5), (0.3, 0.1), (10.5, 0.1), (2e6, 1 - 1e-5), (1.0, 1 - 1e-16))),
    *(hypergeometric(*n) for n in ((40, 60, 20), (60, 60, 60), (1, 1, 1), (3, 10**12, 10**12 // 3), (1000, 39000, 1000))),
    *(logseries(p) for p in (1e-300, 1e-9, 0.3, 0.7, 0.9)),
]  # fmt: skip


def distribution(case: Case) -> Iterator[tuple[int, Any]]:
    """Counts and the exact probabilities of at most each."""
    _, parameters, start, first, ratio = case
    exact = [mpmath.mpf(Fraction(x).numerator) / Fraction(x).denominator for x in parameters]
    term = total = first(*exact)
    for k in count(start):
        yield k, total
        term *= ratio(k + 1, *exact)
        total += term
        if term < 1e-15 and k > parameters[0] * 0:
            return


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0].__name__}{case[1]}")
def test_distribution_functions(case: Case) -> None:
    function, parameters = case[0], [np.array([x], float) for x in case[1]]
    with mpmath.workdps(60):
        for k, below in distribution(case):
            for sign in (-1, 1):
                u = float(below * (1 + sign * mpmath.mpf(2) ** -47))
                if u < 1.0:
                    counted = int(function(np.array([u]), *parameters)[0])
                    assert counted <= k if sign < 0 else counted > k
