"""Complex samples: laws, distributions and jax's values, as the other tests check them for real samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from case import ALGORITHMS, TRANSFORM
from cases import CASES, PATHS, Array, assert_same, on

import keyrng

SAMPLERS: dict[str, Callable[..., Array]] = {
    "normal": keyrng.normal,
    "lognormal": lambda key, shape, dtype, **more: keyrng.lognormal(key, 0.75, shape, dtype, **more),
}
PART = {"complex64": "float32", "complex128": "float64"}
KEY = keyrng.key(2024)

each_sampler = pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)
each_dtype = pytest.mark.parametrize("dtype", PART)


def test_every_sampler_of_complex_numbers_is_here() -> None:
    assert {case.name for case in CASES if case.complex} == set(SAMPLERS)


@each_sampler
@each_dtype
def test_laws(sampler: Callable[..., Array], dtype: str, path: str) -> None:
    for algorithm in ALGORITHMS:
        key = keyrng.key(2024, impl=algorithm)
        whole = sampler(key, (20_011,), dtype)
        assert (whole.dtype, whole.shape) == (np.dtype(dtype), (20_011,))
        for length in (0, 1, 127, 2_049):
            assert_same(sampler(key, length, dtype), whole[:length], algorithm, length)
        assert_same(sampler(key, (3, 5, 7), dtype), whole[:105].reshape(3, 5, 7), algorithm)
        assert_same(sampler(key, (), dtype), whole[0:1].reshape(()), algorithm)

        keys = keyrng.split(key, (2, 3))
        batch = sampler(keys, (131,), dtype)
        for j in np.ndindex(2, 3):
            assert_same(batch[j], sampler(keys[j], (131,), dtype), algorithm, j)


@each_sampler
@each_dtype
def test_paths_agree(sampler: Callable[..., Array], dtype: str) -> None:
    with on("numpy"):
        expected = sampler(KEY, (300_007,), dtype)
    for path in PATHS[1:]:
        with on(path):
            assert_same(sampler(KEY, (300_007,), dtype), expected, path)


@each_sampler
@each_dtype
def test_out(sampler: Callable[..., Array], dtype: str, path: str) -> None:
    for key, shape in ((KEY, (37, 5)), (keyrng.split(KEY, 3), (7,)), (KEY, ())):
        expected = sampler(key, shape, dtype)
        outs = [np.empty(expected.shape, dtype), np.empty(expected.shape, dtype, order="F")]
        if expected.ndim:
            outs += [np.empty(expected.shape, dtype)[::-1], np.empty((*expected.shape, 2), dtype)[..., 1]]
        for out in outs:
            for given in (shape, ()):
                out[...] = 0
                assert sampler(key, given, dtype, out=out) is out
                assert_same(out, expected)
    with pytest.raises(TypeError, match=f"out must have dtype {dtype}, got float64"):
        sampler(KEY, (2,), dtype, out=np.zeros(2))
    with pytest.raises(TypeError, match="out must be a NumPy array, got list"):
        sampler(KEY, (2,), dtype, out=[0j, 0j])
    with pytest.raises(ValueError, match=r"out must have shape \(2,\), got \(3,\)"):
        sampler(KEY, (2,), dtype, out=np.zeros(3, dtype))
    with pytest.raises(TypeError, match="expected a key, got int"):
        sampler(3, (2,), dtype)


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
