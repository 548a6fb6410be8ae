"""Complex samples: parameters, distributions and jax's values; test_vectors.py has their laws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from case import TRANSFORM
from cases import assert_same

import keyrng

PART = {"complex64": "float32", "complex128": "float64"}
KEY = keyrng.key(2024)

each_dtype = pytest.mark.parametrize("dtype", PART)


@each_dtype
def test_parameters(dtype: str, path: str) -> None:
    sigma = np.array([0.0, 0.5, 2.0])
    rows = keyrng.lognormal(KEY, sigma, (1000, 3), dtype)
    for i, s in enumerate(sigma):
        assert_same(rows[:, i], keyrng.lognormal(KEY, s, (1000, 3), dtype)[:, i], s)
    assert keyrng.lognormal(keyrng.split(KEY, 4), sigma, None, dtype).shape == (4, 3)
    # It is read for the imaginary part too, after the real one is written.
    out = np.full(9, 0.5 + 0.25j, dtype)
    assert_same(keyrng.lognormal(KEY, out.real, dtype=dtype, out=out), keyrng.lognormal(KEY, 0.5, 9, dtype))
    for bad, error in ((-1.0, ValueError), (1j, TypeError), (np.zeros(2), ValueError)):
        with pytest.raises(error, match="sigma "):
            keyrng.lognormal(KEY, bad, (3,), dtype)


@each_dtype
def test_a_complex_normal_is_two_normals(dtype: str) -> None:
    first, second = keyrng.split(KEY)
    z = keyrng.normal(KEY, (10_000,), dtype)
    eps = float(np.finfo(dtype).eps)

    np.testing.assert_allclose(z.real, keyrng.normal(first, 10_000, PART[dtype]) / np.sqrt(2), rtol=2 * eps)
    np.testing.assert_allclose(z.imag, keyrng.normal(second, 10_000, PART[dtype]) / np.sqrt(2), rtol=2 * eps)
    with np.errstate(all="raise"):
        exact = np.exp(2.5 * z.astype("complex128"))
    distance = abs(keyrng.lognormal(KEY, 2.5, (10_000,), dtype) - exact)
    assert (distance <= 40 * eps * abs(exact)).all()


@each_dtype
def test_distribution(dtype: str) -> None:
    stats = pytest.importorskip("scipy.stats")
    z = keyrng.normal(keyrng.key(1), (200_000,), dtype)

    assert stats.kstest(abs(z.astype("complex128")) ** 2, "expon").pvalue > 1e-6
    assert stats.kstest(np.angle(z.astype("complex128")), "uniform", (-np.pi, 2 * np.pi)).pvalue > 1e-6


@each_dtype
def test_jax(dtype: str) -> None:
    jax = pytest.importorskip("jax")
    rtol, atol = TRANSFORM[PART[dtype]]
    for seed in (3, 2**62 + 5):
        with jax.enable_x64(True):
            key = jax.random.key(seed)
            normal = np.asarray(jax.random.normal(key, (5_003,), dtype))
            lognormal = np.asarray(jax.random.lognormal(key, np.float32(0.75), (5_003,), dtype))
        ours: Any = keyrng.key(seed)
        np.testing.assert_allclose(keyrng.normal(ours, (5_003,), dtype), normal, rtol, atol)
        np.testing.assert_allclose(keyrng.lognormal(ours, 0.75, (5_003,), dtype), lognormal, rtol, atol)
