"""Counts over the whole range of their parameters, which the rows of rows_counts.py do not cover."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from cases import Array, scipy

import keyrng
from keyrng.distributions._shared import ratio_of_uniforms

stats = pytest.importorskip("scipy.stats")

DRAWS = 100_000
# About 60 p-values, with fixed keys: one is below this by chance in one of a thousand such files.
THRESHOLD = 0.001 / 60
SIGMAS = float(stats.norm.isf(THRESHOLD / 2))


# The hat, and the probabilities under it


def overshoot(distribution: Any, mean: float, variance: float) -> float:
    """How far p(k) / p(mode) reaches over the table mountain, at most: 1 is just below."""
    half = (ratio_of_uniforms._SLOPE * math.sqrt(variance + 0.5) + ratio_of_uniforms._LEAST) / 2
    spread = 30 * math.sqrt(variance) + 40
    k = np.arange(max(0, math.floor(mean - spread)), math.ceil(mean + spread))
    with np.errstate(all="ignore"):
        log = distribution.logpmf(k)
    root = np.exp((log - np.nanmax(log)) / 2)
    away = np.maximum(np.abs(k - mean - 0.5), np.abs(k + 0.5 - mean))
    return float(np.nanmax(np.where(np.isfinite(log), away * root, 0.0)) / half)


def test_the_hat_lies_above_poisson_distributions() -> None:
    means = np.concatenate([10.0 ** np.arange(-8, -1, 0.5), np.arange(0.1, 40, 0.03), [100.0, 333.3, 1e4]])

    assert max(overshoot(stats.poisson(mean), mean, mean) for mean in means) < 1 + 1e-12


def test_the_hat_lies_above_binomial_distributions() -> None:
    grid = [
        (n, p) for n in (1, 2, 3, 7, 20, 21, 100, 10**6) for p in (*10.0 ** np.arange(-8, -1), *np.arange(1, 11) / 20)
    ]
    worst = max(overshoot(stats.binom(n, p), n * p, n * p * (1 - p)) for n, p in grid if n * p < 1e4)

    assert worst < 1 + 1e-12


def test_the_hat_lies_above_hypergeometric_distributions() -> None:
    worst = 0.0
    for total in (2, 3, 5, 8, 13, 40, 100, 1000):
        for good in {1, 2, 3, total // 4, total // 2} - {0}:
            for sample in {1, 2, 5, total // 3, total // 2} - {0}:
                if good <= total // 2 and sample <= total // 2:
                    mean = sample * good / total
                    variance = mean * (1 - good / total) * (total - sample) / (total - 1)
                    worst = max(worst, overshoot(stats.hypergeom(total, good, sample), mean, variance))

    assert worst < 1 + 1e-12


@pytest.mark.parametrize("mean", [1e-3, 0.7, 5.0, 123.25, 1e5, 1e12])
def test_logarithms_of_poisson_probabilities(mean: float) -> None:
    mpmath = pytest.importorskip("mpmath")
    base = math.floor(mean)
    x = np.unique(np.round(np.linspace(-min(base, 5 * math.sqrt(mean)), 5 * math.sqrt(mean) + 10, 41)))
    found = ratio_of_uniforms.log_poisson(base + x, x - (mean - base) + 1, np.array([mean]))
    with mpmath.workdps(40):
        exact = [k * mpmath.log(mean) - mpmath.loggamma(k + 1) for k in (mpmath.mpf(base + int(v)) for v in x)]
        expected = np.array([float(v - exact[len(exact) // 2]) for v in exact])

    # 1e-7 changes a probability by as much of itself: a test of the values would need 1e14 of them to see it.
    assert np.abs(found - found[len(exact) // 2] - expected).max() < 1e-7 * (1 + np.abs(expected).max() / 100)


# Wide parameters


def assert_moments(x: Array, mean: float, variance: float) -> None:
    """The mean and the variance of counts that are almost normal, or rare."""
    deviation = math.sqrt(variance / x.size)
    centred = (x - math.floor(mean)).astype(float) - (mean - math.floor(mean))
    assert abs(centred.mean()) < SIGMAS * deviation, (centred.mean(), deviation)
    # The fourth moment of a Poisson distribution; a binomial one has less.
    assert abs((centred**2).mean() - variance) < SIGMAS * math.sqrt((2 * variance**2 + variance) / x.size)
    if variance > 1e3:
        assert stats.kstest(centred / math.sqrt(variance), "norm").pvalue > THRESHOLD


@pytest.mark.parametrize("lam", [1e-10, 1e-4, 0.3, 7.0, 1e3, 1e6, 1e9, 1e12, 1e15])
@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_poisson(lam: float, dtype: str) -> None:
    if dtype == "int32" and lam > 1e9:
        with pytest.raises(ValueError, match="lam must be between 0 and"):
            keyrng.poisson(keyrng.key(1), lam, (DRAWS,), dtype)
        return
    x = keyrng.poisson(keyrng.key(1), lam, (DRAWS,), dtype)

    assert x.min() >= 0
    assert_moments(x.astype(np.int64), float(np.float32(lam)) if dtype == "int32" else lam, lam)


@pytest.mark.parametrize("n", [1, 3, 40, 10**6, 2**31 - 128, 10**12, 2**53])
@pytest.mark.parametrize("p", [1e-12, 1e-6, 0.1, 0.5, 0.77, 1 - 1e-6, 1 - 1e-12])
def test_binomial(n: int, p: float) -> None:
    x = keyrng.binomial(keyrng.key(3), n, p, (20_000,), "int64")
    rare = x if p <= 0.5 else n - x
    q = min(p, 1 - p)

    assert x.min() >= 0 and x.max() <= n
    assert_moments(rare, n * q, max(n * q * (1 - q), 1e-300))


@pytest.mark.parametrize(
    ("good", "bad", "sample"),
    [
        (10**9, 2 * 10**9, 10**6),
        (10**12, 3, 10**12),
        (3, 10**12, 10**11),
        (2**52, 2**52, 2**51),
        (10**15, 10**10, 10**9),
        (5 * 10**5, 5 * 10**5, 10**6 - 7),
    ],
)
def test_hypergeometric(good: int, bad: int, sample: int) -> None:
    x = keyrng.hypergeometric(keyrng.key(4), good, bad, sample, (20_000,), "int64")
    total, p = good + bad, good / (good + bad)
    variance = sample * p * (bad / total) * ((total - sample) / (total - 1))

    assert x.min() >= max(0, sample - bad) and x.max() <= min(good, sample)
    # By what is rare, or the mean has too few digits.
    few = sample - x if bad < good else x
    assert_moments(few, sample * min(good, bad) / total, variance)


def test_negative_binomial_of_many_failures() -> None:
    n, p = 4.0, 1e-9
    x = keyrng.negative_binomial(keyrng.key(5), n, p, (DRAWS,), "int64")

    assert stats.kstest(x * (p / (1 - p)), scipy("gamma", n).cdf).pvalue > THRESHOLD


@pytest.mark.parametrize("a", [1e-6, 1e-4, 1e12])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gamma_of_extreme_shapes(a: float, dtype: str) -> None:
    log = keyrng.loggamma(keyrng.key(6), a, (DRAWS,), dtype).astype(float)
    if a < 1:
        # log(gamma(a)) * a is nearly the logarithm of a uniform.
        assert stats.kstest(-log * a, "expon").pvalue > THRESHOLD
    elif dtype == "float64":
        x = keyrng.gamma(keyrng.key(6), a, (DRAWS,), dtype)
        assert stats.kstest((x - a) / math.sqrt(a), "norm").pvalue > THRESHOLD


def test_nothing_drawn_from_nothing(path: str) -> None:
    for dtype in ("int32", "int64", "uint8"):
        assert keyrng.hypergeometric(keyrng.key(0), 0, 0, 0, (3,), dtype).tolist() == [0, 0, 0]
        assert keyrng.multivariate_hypergeometric(keyrng.key(0), [3, 0, 0], 2, dtype=dtype).tolist() == [2, 0, 0]
