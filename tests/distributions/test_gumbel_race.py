"""Categorical draws by a race (gumbel_race.py) against draws by the sums of logit and Gumbel variate."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from cases import PATHS, on, without_entries

import keyrng
from keyrng.distributions._shared import gumbel_race
from keyrng.distributions.gumbel import race_kernel

KEY = keyrng.key(9)

RNG = np.random.default_rng(3)
LOGITS = {
    "equal": np.zeros(10),
    "two": np.array([0.3, -0.2]),
    "three": np.array([100.0, 100.0, 99.0]),
    "normal": RNG.normal(size=11),
    "minus infinity": np.array([-np.inf, 0.0, -np.inf, 1.0, -1e300, -np.inf]),
    "one class": np.array([-np.inf, -np.inf, -200.0]),
    "far": np.array([1e8, 1e8 - 3, -1e8, 0.0, 1e8 - 80]),
    "steps": np.arange(0.0, -260.0, -7.0),
    "many": RNG.normal(size=301) * 3,
}


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that draws without a race, which C would run, too."""

    def draw(*arguments: Any, **named: Any) -> Any:
        with without_entries(), monkeypatch.context() as changed:
            changed.setattr(gumbel_race, "_FEWEST", 1 << 60)
            return keyrng.categorical(*arguments, **named)

    return draw


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", LOGITS)
def test_classes(path: str, dtype: str, name: str, slow: Any) -> None:
    with np.errstate(over="ignore"):
        logits = LOGITS[name].astype(dtype)
    if np.isposinf(logits).any():
        pytest.skip("too large for this dtype")
    with on(path):
        for draws in (2**14 // len(logits), 2**14 if path == "numpy" else 2**17):
            assert (keyrng.categorical(KEY, logits, shape=(draws,)) == slow(KEY, logits, shape=(draws,))).all()


@pytest.mark.parametrize("impl", keyrng.algorithms.names())
def test_keys_and_shapes(impl: str, slow: Any) -> None:
    keys = keyrng.split(keyrng.key(2, impl=impl), 3)
    logits = RNG.normal(size=7)
    expected = slow(keys, logits, shape=(50, 1000))
    assert (keyrng.categorical(keys, logits, shape=(50, 1000)) == expected).all()
    out = np.empty((3, 50, 1000), np.int64)
    assert keyrng.categorical(keys, logits, shape=(50, 1000), out=out) is out
    assert (out == expected).all()


def test_threads(slow: Any) -> None:
    logits, keys = RNG.normal(size=20), keyrng.split(KEY, 3)
    expected = slow(keys, logits, shape=(20_001,))
    try:
        for threads in (1, 2, 5):
            keyrng.set_num_threads(threads)
            assert (keyrng.categorical(keys, logits, shape=(20_001,)) == expected).all()
    finally:
        keyrng.set_num_threads(None)


def test_equal_variates(slow: Any) -> None:
    # Float32 variates have 2**23 values: of 2000 equal logits, some of the largest sums are equal.
    logits = np.zeros(2000, np.float32)
    assert (keyrng.categorical(KEY, logits, shape=(20_000,)) == slow(KEY, logits, shape=(20_000,))).all()


@pytest.mark.parametrize("bits", [32, 64])
def test_products(bits: int) -> None:
    words = RNG.integers(0, 2**64, 1 << 18, np.uint64) >> RNG.integers(0, 64, 1 << 18, np.uint64)
    words = np.concatenate([words, ~words, words << np.uint64(32), ~(words << np.uint64(32))]) >> np.uint64(64 - bits)
    dtype = np.dtype(f"float{bits}")
    race = race_kernel(None, dtype)
    assert race is not None
    lane = SimpleNamespace(dtype=np.dtype(np.float32), bits=lambda width=bits: words.astype(f"uint{bits}"))
    products = race(lane, np.ones(len(words), np.float32))
    digits = 23 if bits == 32 else 52
    u = (words >> np.uint64(bits - digits)).astype(np.longdouble) / 2**digits
    decided = products > 0
    if bits == 32:
        assert (decided == (u > 0)).all()
    else:
        assert decided[(u >= 2.0**-19) & (u <= 1 - 2.0**-16)].all()
    exact = -np.log(u[decided])
    assert (abs(products[decided] / exact - 1) < 5e-5).all()
    assert np.log(gumbel_race.RATIO) > 2 * 5e-5 + 2 * 1.2e-5
