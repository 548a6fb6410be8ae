"""multivariate_normal, orthogonal and wishart, which go through LAPACK: parameters, dtypes, and jax."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from cases import FLOATS, assert_same
from test_jax import decoded, golden
from test_vectors import COV, KEY, MEAN

import keyrng
from keyrng.distributions._shared.covariance import factor


def test_parameters_broadcast() -> None:
    key, keys = KEY, keyrng.split(KEY, 2)
    means = np.stack([MEAN, MEAN + 1, MEAN * 2])
    covs = np.stack([COV, COV * 4]).reshape(2, 1, 3, 3)
    for method in ("cholesky", "svd", "eigh"):
        x = keyrng.multivariate_normal(key, means, covs, method=method)
        assert x.shape == (2, 3, 3)
        assert_same(keyrng.multivariate_normal(key, means, covs, (2, 3), method=method), x)
        z = keyrng.multivariate_normal(key, np.zeros(3), COV, (2, 3), method=method)
        np.testing.assert_allclose(x[0], means + z[0], 1e-12)
        np.testing.assert_allclose(x[1], means + 2 * z[1], 1e-12)
        batch = keyrng.multivariate_normal(keys, means, covs, method=method)
        assert batch.shape == (2, 2, 3, 3)
        assert_same(batch[1], keyrng.multivariate_normal(keys[1], means, covs, method=method))
        # A matrix for each key.
        one = keyrng.multivariate_normal(keys, MEAN, covs, (3,), method=method)
        assert_same(one[1], keyrng.multivariate_normal(keys[1], MEAN, covs[1, 0], (3,), method=method))
    df = np.array([[3.0], [5.5]])
    x = keyrng.wishart(key, df, covs[:, 0])
    assert x.shape == (2, 2, 3, 3)
    assert_same(keyrng.wishart(key, df, covs[:, 0], (2, 2)), x)
    alone = keyrng.wishart(key, 3.0, COV, (2, 2))[0]
    np.testing.assert_allclose(x[0], alone * np.array([1, 4]).reshape(2, 1, 1), 1e-12)
    assert_same(keyrng.wishart(keys, df, covs[:, 0])[1], keyrng.wishart(keys[1], df, covs[:, 0]))


def test_dtype_is_that_of_the_arrays() -> None:
    listed = MEAN.tolist(), COV.tolist()
    for given, expected in (
        (listed, "float32"),
        ((MEAN, COV), "float64"),
        ((MEAN.astype("float32"), COV), "float64"),
        ((MEAN.astype("float32"), listed[1]), "float32"),
        ((listed[0], COV.astype("float16")), "float16"),
        ((np.zeros(3, int), np.eye(3, dtype=int)), "float32"),
        ((np.zeros(3, int), COV), "float64"),
        *((((MEAN.astype("float16"), COV.astype("bfloat16")), "float32"),) if "bfloat16" in FLOATS else ()),
    ):
        assert keyrng.multivariate_normal(KEY, *given).dtype == expected
        assert keyrng.multivariate_normal(KEY, *given, dtype="float32").dtype == "float32"
    assert keyrng.wishart(KEY, 3, COV).dtype == "float64"
    assert keyrng.wishart(KEY, 3, COV.tolist()).dtype == "float32"
    assert keyrng.wishart(KEY, np.float64(3), COV.tolist()).dtype == "float64"
    assert keyrng.wishart(KEY, np.float64(3), COV, dtype="float32").dtype == "float32"


# jax

NEAR = {"float32": 2e-6, "complex64": 2e-6, "float64": 1e-13, "complex128": 1e-13}


def test_golden() -> None:
    found = 0
    for entry, expected in golden(("multivariate_normal", "orthogonal")):
        args = [decoded(a) for a in entry["args"]]
        kwargs = {name: decoded(v) for name, v in entry["kwargs"].items()}
        actual = getattr(keyrng, entry["fn"])(keyrng.key(entry["key"]["seed"]), *args, **kwargs)

        assert actual.shape == expected.shape and actual.dtype == expected.dtype, entry["id"]
        assert np.abs(actual - expected).max() < NEAR[entry["dtype"]], entry["id"]
        found += 1
    assert found == 21


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_multivariate_normal_of_jax_with_fresh_keys(dtype: str) -> None:
    jax = pytest.importorskip("jax")
    rng = np.random.default_rng(4)
    # Eigenvalues apart, so that eigenvectors are no matter of roundings, but for their signs.
    turn = np.linalg.qr(rng.normal(size=(2, 1, 3, 3)))[0]
    cov = ((turn * np.array([1.0, 3.0, 8.0])) @ np.swapaxes(turn, -1, -2)).astype(dtype)
    mean, seed = rng.normal(size=(4, 3)).astype(dtype), int(rng.integers(2**62))
    z = keyrng.normal(keyrng.key(seed), (2, 4, 3), dtype)
    for method in ("cholesky", "svd", "eigh"):
        with jax.enable_x64(True):
            theirs = np.asarray(jax.random.multivariate_normal(jax.random.key(seed), mean, cov, method=method))
        ours = keyrng.multivariate_normal(keyrng.key(seed), mean, cov, method=method)
        assert ours.shape == theirs.shape == (2, 4, 3) and ours.dtype == theirs.dtype
        for i in range(2):
            root = factor("cov", cov[i, 0].astype(float), method)
            signs = itertools.product((1, -1), repeat=3) if method != "cholesky" else [(1, 1, 1)]
            near = [np.abs(mean + z[i] @ (root * s).T - theirs[i]).max() for s in signs]
            assert np.abs(mean + z[i] @ root.T - ours[i]).max() < 10 * NEAR[dtype], method
            assert min(near) < 10 * NEAR[dtype], method


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_orthogonal_of_jax_with_fresh_keys(dtype: str) -> None:
    jax = pytest.importorskip("jax")
    seed = 2**40 + 17
    for m in (None, 1, 5):
        with jax.enable_x64(True):
            theirs = np.asarray(jax.random.orthogonal(jax.random.key(seed), 3, (4,), dtype, m))
        ours = keyrng.orthogonal(keyrng.key(seed), 3, (4,), dtype, m)
        assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
        assert np.abs(ours - theirs).max() < NEAR[dtype], m
