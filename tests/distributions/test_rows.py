"""Samplers of vectors along the last axis: the distributions of dirichlet, ball, and counts of several classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import Array, scipy

import keyrng

DRAWS = 100_000
# Some 60 p-values in this file, with fixed keys: one of them is below this by chance once in a thousand files.
THRESHOLD = 0.001 / 60


# Distributions


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("alpha", [(2.0, 3.0, 1.0), (0.2, 1.0, 3.0), (0.01, 0.02), (1e4, 2e4, 1e4)], ids=str)
def test_dirichlet(alpha: tuple[float, ...], dtype: str) -> None:
    x = keyrng.dirichlet(keyrng.key(1), alpha, (DRAWS,), dtype).astype(float)

    assert np.abs(x.sum(axis=-1) - 1).max() < 1e-6
    for i, a in enumerate(alpha):
        # Values that are 0 or 1 by rounding are left out on both sides.
        law = scipy("beta", a, sum(alpha) - a)
        low, high = 1e-30, 1 - 1e-5
        inside = x[(x[:, i] > low) & (x[:, i] < high), i]
        at = law.cdf([low, high])
        assert scipy_kstest(inside, lambda v, at=at, law=law: (law.cdf(v) - at[0]) / (at[1] - at[0])) > THRESHOLD


def test_dirichlet_of_tiny_concentrations_is_no_nan() -> None:
    # Every gamma variate of such a row underflows: 0 / 0.
    x = keyrng.dirichlet(keyrng.key(2), [1e-4] * 5, (DRAWS,))

    assert np.isfinite(x).all()
    assert (x.max(axis=-1) > 0.99).mean() > 0.99
    counts = np.bincount(x.argmax(axis=-1), minlength=5)
    assert scipy_chisquare(counts) > THRESHOLD


@pytest.mark.parametrize(("d", "p"), [(1, 2), (2, 2), (3, 2.0), (3, 1), (4, 0.7), (2, 30.0)])
def test_ball(d: int, p: float) -> None:
    x = keyrng.ball(keyrng.key(3), d, p, (DRAWS,), "float64")
    radius = (np.abs(x) ** p).sum(axis=-1) ** (1 / p)

    assert radius.max() < 1 + 1e-9
    assert scipy_kstest(radius**d, scipy("uniform").cdf) > THRESHOLD
    # Signs are independent of all else, and of each other.
    assert scipy_chisquare(np.bincount(((x > 0) * 2 ** np.arange(d)).sum(axis=-1), minlength=2**d)) > THRESHOLD
    if d > 1:
        assert abs(np.corrcoef(np.abs(x[:, 0]) > np.abs(x[:, 1]), radius)[0, 1]) < 0.02


def test_multinomial() -> None:
    p = np.array([0.2, 0.0, 0.5, 0.3])
    x = keyrng.multinomial(keyrng.key(4), 40, p, shape=(DRAWS, 4), dtype="int32")
    covariance = 40 * (np.diag(p) - np.outer(p, p))

    assert (x.sum(axis=-1) == 40).all() and (x[:, 1] == 0).all() and (x >= 0).all()
    assert np.abs(x.mean(axis=0) - 40 * p).max() < 5 * np.sqrt(10 / DRAWS)
    assert np.abs(np.cov(x.T) - covariance).max() < 5 * 10 * np.sqrt(2 / DRAWS)
    # Weights need not add up to 1, and a small case is right in every cell.
    small = keyrng.multinomial(keyrng.key(5), 2, [3, 1], shape=(DRAWS, 2), dtype="int8")
    assert scipy_chisquare(np.bincount(small[:, 0]), np.array([1, 6, 9]) / 16 * DRAWS) > THRESHOLD


def test_multinomial_takes_parameters_that_broadcast() -> None:
    keys = keyrng.split(keyrng.key(6), 3)
    n, p = np.array([[5], [60]]), np.array([[0.1, 0.9], [0.5, 0.5]])
    x = keyrng.multinomial(keys, n, p, dtype="int64")

    assert x.shape == (3, 2, 2, 2)
    assert (x.sum(axis=-1) == np.broadcast_to([[5, 5], [60, 60]], (3, 2, 2))).all()


@pytest.mark.parametrize("n", [2**40, 2**53])
def test_multinomial_of_many(n: int) -> None:
    x = keyrng.multinomial(keyrng.key(7), n, [0.25, 0.25, 0.5], shape=(2_000, 3), dtype="int64")

    assert (x.sum(axis=-1) == n).all()
    z = (x[:, 0] - n / 4) / np.sqrt(n * 3 / 16)
    assert scipy_kstest(z, scipy("norm").cdf) > THRESHOLD


def test_multivariate_hypergeometric() -> None:
    colors = np.array([16, 0, 8, 4])
    x = keyrng.multivariate_hypergeometric(keyrng.key(8), colors, 7, (DRAWS,))

    assert (x.sum(axis=-1) == 7).all() and (x <= colors).all() and (x >= 0).all()
    for i, items in enumerate(colors):
        law = scipy("hypergeom", 28, items, 7)
        expected = law.pmf(np.arange(8)) * DRAWS
        counts = np.bincount(x[:, i], minlength=8)
        assert counts[expected < 1e-9].sum() == 0
        kept = expected > 5
        if kept.sum() > 1:
            assert scipy_chisquare(np.append(counts[kept], counts[~kept].sum()), tail(expected, kept)) > THRESHOLD


def tail(expected: Array, kept: Array) -> Array:
    return np.append(expected[kept], max(expected[~kept].sum(), 1e-300))


def scipy_kstest(x: Array, cdf: Any) -> float:
    return float(pytest.importorskip("scipy.stats").kstest(x, cdf).pvalue)


def scipy_chisquare(counts: Array, expected: Array | None = None) -> float:
    return float(pytest.importorskip("scipy.stats").chisquare(counts, expected).pvalue)
