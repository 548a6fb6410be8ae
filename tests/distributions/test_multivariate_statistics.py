"""multivariate_normal, orthogonal and wishart: distributions, by p-values and normal deviates of fixed keys."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import Array, scipy
from test_vectors import COMPLEX, COV, KEY, MEAN

import keyrng

DRAWS = 100_000
# Some 60 p-values and normal deviates in this file, with fixed keys: one in a thousand such files would fail once.
THRESHOLD = 0.001 / 60
SIGMAS = 4.5


def ks(x: Array, law: Any) -> float:
    return float(pytest.importorskip("scipy.stats").kstest(x, law.cdf).pvalue)


@pytest.mark.parametrize("method", ["cholesky", "svd", "eigh"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_multivariate_normal(method: str, dtype: str) -> None:
    x = keyrng.multivariate_normal(keyrng.key(1), MEAN, COV, (DRAWS,), dtype, method).astype(float)
    variances = np.diag(COV)

    assert (np.abs(x.mean(axis=0) - MEAN) < SIGMAS * np.sqrt(variances / DRAWS)).all()
    error = np.sqrt((np.outer(variances, variances) + COV**2) / DRAWS)
    assert (np.abs(np.cov(x.T) - COV) < SIGMAS * error).all()
    for i in range(3):
        assert ks(x[:, i], scipy("norm", MEAN[i], variances[i] ** 0.5)) > THRESHOLD
    distance = np.einsum("bi,ij,bj->b", x - MEAN, np.linalg.inv(COV), x - MEAN)
    assert ks(distance, scipy("chi2", 3)) > THRESHOLD


@pytest.mark.parametrize("method", ["svd", "eigh"])
def test_singular_covariances(method: str) -> None:
    line = np.outer([1.0, 2.0, -1.0], [1.0, 2.0, -1.0])
    x = keyrng.multivariate_normal(keyrng.key(2), [0, 1, 0], line, (DRAWS,), "float64", method)

    assert np.abs(x[:, 1] - 1 - 2 * x[:, 0]).max() < 1e-6
    assert np.abs(x[:, 2] + x[:, 0]).max() < 1e-6
    assert ks(x[:, 0], scipy("norm")) > THRESHOLD
    assert (keyrng.multivariate_normal(KEY, [3, 4], np.zeros((2, 2)), (5,), method=method) == [3, 4]).all()
    # Negative by no more than roundings.
    small = np.array([[1.0, 1.0], [1.0, 1.0 - 1e-12]])
    assert np.isfinite(keyrng.multivariate_normal(KEY, [0, 0], small, (5,), method=method)).all()


def test_covariance_is_factored_in_float64() -> None:
    # In float32 this correlation is 1, and the matrix singular.
    cov = np.array([[1.0, 1 - 1e-10], [1 - 1e-10, 1.0]])
    x = keyrng.multivariate_normal(KEY, [0, 0], cov, (1000,), "float32")

    assert np.isfinite(x).all()
    assert 0 < np.abs(x[:, 0] - x[:, 1]).max() < 1e-4


@pytest.mark.parametrize(("n", "m"), [(1, 1), (3, 3), (5, 2), (2, 4), (1, 6)])
@pytest.mark.parametrize("dtype", ["float32", "float64", *COMPLEX])
def test_orthogonal(n: int, m: int, dtype: str) -> None:
    x = keyrng.orthogonal(keyrng.key(n + 10 * m), n, (20_000,), dtype, m)
    wide = x.astype(np.complex128)
    gram = np.swapaxes(wide.conj(), -1, -2) @ wide if n >= m else wide @ np.swapaxes(wide.conj(), -1, -2)

    near = 1e-6 if np.dtype(dtype).char in "fF" else 1e-14
    assert np.abs(gram - np.eye(min(n, m))).max() < near
    real = dtype not in COMPLEX
    if max(n, m) > 1:
        # The squares of a column of a Haar matrix are those of a point on a sphere.
        law = scipy("beta", 0.5, (max(n, m) - 1) / 2) if real else scipy("beta", 1, max(n, m) - 1)
        for i, j in {(0, 0), (n - 1, m - 1), (n - 1, 0)}:
            assert ks(np.abs(wide[:, i, j]) ** 2, law) > THRESHOLD, (i, j)
            assert abs((wide[:, i, j].real > 0).mean() - 0.5) < SIGMAS * 0.5 / 20_000**0.5
    if n == m and real:
        # As many rotations as reflections; multiplied by a rotation, the trace has the same law.
        determinant = np.linalg.det(wide.real)
        assert abs((determinant > 0).mean() - 0.5) < SIGMAS * 0.5 / 20_000**0.5
    if n == m == 3 and real:
        turned = np.roll(wide.real, 1, axis=-1).trace(axis1=-2, axis2=-1)
        stats = pytest.importorskip("scipy.stats")
        assert stats.ks_2samp(turned[::2], wide.real.trace(axis1=-2, axis2=-1)[1::2]).pvalue > THRESHOLD


def test_orthogonal_of_no_rows() -> None:
    for n, m in ((0, 0), (0, 3), (3, 0)):
        assert keyrng.orthogonal(KEY, n, (2,), m=m).shape == (2, n, m)
    assert keyrng.orthogonal(KEY, np.int64(2)).shape == (2, 2)


@pytest.mark.parametrize("df", [2.5, 3.0, 40.0])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_wishart(df: float, dtype: str) -> None:
    x = keyrng.wishart(keyrng.key(3), df, COV, (DRAWS,), dtype)

    assert (x == np.swapaxes(x, -1, -2)).all()
    x = x.astype(float)
    variances = np.diag(COV)
    # Var(x[i, j]) = df * (scale[i, j]**2 + scale[i, i] * scale[j, j])
    variance = df * (COV**2 + np.outer(variances, variances))
    assert (np.abs(x.mean(axis=0) - df * COV) < SIGMAS * np.sqrt(variance / DRAWS)).all()
    assert (np.abs(x.var(axis=0) / variance - 1) < 0.1).all()
    # Each entry of the diagonal is a chi-square, and so is any quadratic form.
    for i in range(3):
        assert ks(x[:, i, i] / variances[i], scipy("chi2", df)) > THRESHOLD
    v = np.array([1.0, -2.0, 3.0])
    assert ks(v @ x @ v / (v @ COV @ v), scipy("chi2", df)) > THRESHOLD
    # The determinant is a product of chi-squares: the mean of its logarithm.
    special = pytest.importorskip("scipy.special")
    logs = np.log(np.maximum(np.linalg.det(x / np.sqrt(np.outer(variances, variances))), 1e-300))
    logs -= np.log(np.linalg.det(COV / np.sqrt(np.outer(variances, variances))))
    if df >= 3 and dtype == "float64":
        halves = (df - np.arange(3)) / 2
        expected = (special.digamma(halves) + np.log(2)).sum()
        spread = np.sqrt(special.polygamma(1, halves).sum() / DRAWS)
        assert abs(logs.mean() - expected) < SIGMAS * spread


def test_wishart_of_one_number_is_a_chi_square() -> None:
    assert (
        ks(keyrng.wishart(keyrng.key(4), 0.7, [[3.0]], (DRAWS,), "float64").ravel() / 3, scipy("chi2", 0.7)) > THRESHOLD
    )
