"""Conversion of keys to JAX and back."""

from __future__ import annotations

import numpy as np
import pytest

import keyrng

jax = pytest.importorskip("jax")

from keyrng.interop.jax import from_jax, to_jax  # noqa: E402 (only where JAX is)

KEY = keyrng.key(42)


@pytest.mark.parametrize("keys", [KEY, keyrng.split(KEY, 3), keyrng.split(KEY, (2, 3)), keyrng.split(KEY, 0)])
def test_keys_there_and_back(keys):
    there = to_jax(keys)

    assert there.shape == keys.shape
    assert jax.dtypes.issubdtype(there.dtype, jax.dtypes.prng_key)
    assert (from_jax(there) == keys).all()
    assert np.array_equal(jax.random.key_data(there), keyrng.key_data(keys))


def test_a_key_of_jax_is_that_of_keyrng():
    assert from_jax(jax.random.key(42)) == KEY
    assert (from_jax(jax.random.split(jax.random.key(42), 3)) == keyrng.split(KEY, 3)).all()
    assert np.array_equal(jax.random.bits(to_jax(KEY), (5,)), keyrng.bits(KEY, (5,)))


def test_older_keys_of_words():
    raw = jax.random.PRNGKey(42)

    assert from_jax(raw) == KEY
    assert from_jax(np.asarray(raw)) == KEY
    assert from_jax(jax.random.split(raw, 3)).shape == (3,)


def test_a_key_inside_a_compiled_function():
    found = jax.jit(jax.random.bits)(to_jax(KEY))

    assert found == keyrng.bits(KEY)


def test_what_comes_back_is_jax_s_no_more():
    raw = np.array([0, 42], np.uint32)
    key = from_jax(raw)
    raw[1] = 43

    assert key == KEY
