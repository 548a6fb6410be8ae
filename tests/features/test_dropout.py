"""dropout and its mask: probabilities, words, kept elements, and the backward pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import ALGORITHMS, FLOATS, PATHS, Array, assert_same, keys_on_a_gpu, on, to_device

import keyrng
from keyrng import dropout, dropout_mask

KEY = keyrng.key(7)
RATES = (0.0, 2.0**-33, 2.0**-32, 1e-9, 0.1, 0.25, 0.5, 0.9, 1 - 2.0**-32, 1 - 2.0**-40, 1.0)


def dtype_of(name: str) -> np.dtype[Any]:
    return keyrng.uniform(KEY, (), name).dtype


def sample(dtype: str, shape: Any = 999) -> Array:
    """Numbers of every kind: zeros, infinities, NaN and the smallest and largest among others."""
    x = keyrng.normal(keyrng.fold_in(KEY, "x"), shape, dtype)
    flat = x.reshape(-1)
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, 3e38])
    with np.errstate(over="ignore", under="ignore"):
        flat[::7] = special[np.arange(flat[::7].size) % 7]
    return x


def slow(words: Array, x: Array, rate: float) -> Array:
    """The definition, in Python's integers and in the float of the computation."""
    compute = np.float64 if x.dtype == np.float64 else np.float32
    bound = round((1 - rate) * 2**32)
    kept = np.array([int(word) < bound for word in words.reshape(-1)]).reshape(x.shape)
    with np.errstate(all="ignore"):
        scale = compute(1 / (1 - rate)) if rate < 1 else compute(0)
        scaled = (x.astype(compute) * scale).astype(x.dtype)
    return np.where(kept, np.where(x == x, scaled, x), x.dtype.type(0))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("dtype", FLOATS)
def test_the_definition(path: str, dtype: str) -> None:
    x = sample(dtype)
    words = keyrng.bits(KEY, x.shape)
    with on(path):
        for rate in RATES:
            assert_same(dropout(KEY, x, rate), slow(words, x, rate), path, rate)
        assert dropout(KEY, x[0], 0.0).shape == ()
        assert dropout(KEY, x[:0].reshape(0, 3), 0.5).shape == (0, 3)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_is_kept_is_of_the_words_alone(algorithm: str) -> None:
    key = keyrng.key(3, impl=algorithm)
    mask = dropout_mask(key, 1001, 0.3)

    assert_same(mask, keyrng.bits(key, 1001) < round(0.7 * 2**32))
    for dtype in FLOATS:
        assert_same(dropout(key, np.ones(1001, dtype_of(dtype)), 0.3) != 0, mask, dtype)


def test_the_probability_is_exact() -> None:
    # Words next to the bound decide; among 2**20 there are some within 2**13 of it.
    words = keyrng.bits(KEY, 2**20).astype(np.int64)
    near = np.sort(words)[2**19 - 3 : 2**19 + 3]
    for word in near:
        for bound in (word, word + 1):
            rate = 1 - float(bound) / 2**32

            assert (dropout_mask(KEY, 2**20, rate) == (words < bound)).all()


def test_the_mask_is_that_of_jax() -> None:
    jax = pytest.importorskip("jax")
    for rate in (0.0, 0.25, 0.5, 1 - 2.0**-20):
        theirs = np.asarray(jax.random.bernoulli(jax.random.key(7), 1 - rate, (5000,)))

        assert_same(dropout_mask(KEY, 5000, rate), theirs, rate)


@pytest.mark.parametrize("dims", [0, (1,), (0, -1), [-2], (0, 1, 2), ()])
def test_broadcast_dims(dims: Any) -> None:
    x = sample("float32", (4, 5, 6))
    mask = dropout_mask(KEY, x.shape, 0.4, broadcast_dims=dims)
    listed = np.atleast_1d(np.array(dims, int)) % 3
    once = tuple(1 if axis in listed else size for axis, size in enumerate(x.shape))
    whole = dropout(KEY, x, 0.4, broadcast_dims=dims)

    assert_same(mask, dropout_mask(KEY, once, 0.4))
    with np.errstate(over="ignore"):
        assert_same(whole, np.where(mask, x * np.float32(1 / 0.6), np.float32(0)))


def test_keys() -> None:
    keys, x = keyrng.split(KEY, (2, 3)), sample("float32", (4, 5))
    for dims in ((), 0, -1):
        whole = dropout(keys, x, 0.5, broadcast_dims=dims)
        mask = dropout_mask(keys, x.shape, 0.5, broadcast_dims=dims)

        assert whole.shape == (2, 3, 4, 5)
        for at in np.ndindex(2, 3):
            assert_same(whole[at], dropout(keys[at], x, 0.5, broadcast_dims=dims), at)
            assert_same(mask[at], dropout_mask(keys[at], x.shape, 0.5, broadcast_dims=dims), at)


def test_keys_with_a_part_each() -> None:
    keys, x = keyrng.split(KEY, 3), sample("float64", (3, 4, 5))
    for dims in ((), 0):
        out = np.empty_like(x)

        assert dropout(keys, x, 0.5, broadcast_dims=dims, out=out) is out
        for j in range(3):
            assert_same(out[j], dropout(keys[j], x[j], 0.5, broadcast_dims=dims), j)


@pytest.mark.parametrize("path", PATHS[:2])
@pytest.mark.parametrize("dtype", FLOATS)
def test_in_place(path: str, dtype: str) -> None:
    with on(path):
        for x in (sample(dtype, 70_000), sample(dtype, (300, 7)).T, sample(dtype, 5000)[::-2]):
            expected = dropout(KEY, x.copy(), 0.3)
            shifted = dropout(KEY, x[:-1].copy(), 0.3)
            memory = x.copy() if x.flags.c_contiguous else x
            again = memory.copy()

            assert dropout(KEY, memory, 0.3, out=memory) is memory
            assert_same(memory, expected)
            # Overlapping, and not the same place.
            dropout(KEY, again[:-1], 0.3, out=again[1:])
            assert_same(again[1:], shifted)


def test_the_backward_pass_is_dropout_with_the_same_key() -> None:
    key, rate = keyrng.fold_in(KEY, "layer"), 0.3
    x, w = keyrng.normal(KEY, (6, 5), "float64"), keyrng.normal(keyrng.fold_in(KEY, 1), (6, 5), "float64")

    def loss(x: Array) -> float:
        return float((dropout(key, x, rate) ** 2 * w).sum())

    gradient = dropout(key, 2 * dropout(key, x, rate) * w, rate)
    step, numeric = 1e-6, np.zeros_like(x)
    for at in np.ndindex(x.shape):
        moved = np.zeros_like(x)
        moved[at] = step
        numeric[at] = (loss(x + moved) - loss(x - moved)) / (2 * step)
    assert np.abs(gradient - numeric).max() < 1e-7
    assert (gradient == 0).any()


def test_on_a_gpu() -> None:
    arrays = {dtype: sample(dtype, (3, 4)) for dtype in FLOATS}
    expected = {dtype: dropout(KEY, x, 0.5) for dtype, x in arrays.items()}
    columns = dropout(KEY, arrays["float32"], 0.5, broadcast_dims=0)
    with keys_on_a_gpu("cuda"):
        import cupy

        key = keyrng.key(7)
        for dtype, x in arrays.items():
            there = to_device(x, key)
            assert_same(cupy.asnumpy(dropout(key, there, 0.5)), expected[dtype], dtype)
            assert dropout(key, there, 0.5, out=there) is there
            assert_same(cupy.asnumpy(there), expected[dtype], dtype)
        assert_same(cupy.asnumpy(dropout(key, to_device(arrays["float32"], key), 0.5, broadcast_dims=0)), columns)
        assert_same(cupy.asnumpy(dropout_mask(key, 100, 0.5)), dropout_mask(KEY, 100, 0.5))
        with pytest.raises(TypeError, match="x is on cpu but the key is on cuda:0"):
            dropout(key, np.ones(3), 0.5)
        with pytest.raises(TypeError, match="x is on cuda:0 but the key is on cpu"):
            dropout(KEY, to_device(np.ones(3), key), 0.5)


ONES = np.ones((2, 3), np.float32)


def test_the_backward_pass_is_no_reuse_of_a_clone() -> None:
    key = keyrng.key(8)
    with keyrng.debug.check_reuse():
        dropout(keyrng.clone(key), ONES, 0.5, broadcast_dims=0)
        dropout(key, ONES, 0.5, broadcast_dims=0)
        with pytest.raises(keyrng.debug.KeyReuseError, match=", by dropout_mask"):
            dropout_mask(key, 3, 0.5)
