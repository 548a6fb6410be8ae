"""permutation, choice and categorical against jax's numbers."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from cases import HAVE_BFLOAT16, assert_same, on
from selection import gumbels, on_both_paths
from test_jax import Entry, decoded, golden

import keyrng
from keyrng import choice, permutation

NAMES = {"permutation": ("x", "axis"), "choice": ("a", "shape"), "categorical": ("logits", "axis")}
NARROW = "jax draws gumbels of 16 bits for logits of 16 bits, keyrng of 32"
WIDE = "jax with x64 draws integers of 64 bits"


def reason(entry: Entry) -> str:
    """Why an entry differs on purpose; empty if it does not."""
    if entry["fn"] == "categorical" and entry["args"][0]["dtype"] in ("float16", "bfloat16"):
        return NARROW
    drawn = entry["fn"] == "choice" and "p" not in entry["kwargs"] and entry["kwargs"].get("replace", True)
    return WIDE if drawn and entry["x64"] else ""


@on_both_paths
@pytest.mark.skipif(not HAVE_BFLOAT16, reason="ml_dtypes is not installed")
def test_golden(path: str) -> None:
    seen: Counter[tuple[str, str]] = Counter()
    for entry, expected in golden(tuple(NAMES)):
        name, why = entry["fn"], reason(entry)
        seen[name, why] += 1
        arguments = dict(zip(NAMES[name], map(decoded, entry["args"]), strict=False))
        arguments |= {k: decoded(v) for k, v in entry["kwargs"].items()}
        found = getattr(keyrng, name)(keyrng.key(entry["key"]["seed"]), **arguments)
        if name == "choice" and math.prod(found.shape) == 0:
            expected = expected.reshape(found.shape)  # jax leaves out the array's other axes
        assert found.shape == expected.shape, entry["id"]
        if not why:
            # Integers are int32; jax's are int64 with x64.
            assert np.array_equal(found, expected), entry["id"]
            assert found.dtype == expected.dtype or (found.dtype, expected.dtype) == (np.int32, np.int64), entry["id"]
    # The list must not grow unseen: a wider rule would hide real differences.
    assert {key: count for key, count in seen.items() if key[1]} == {
        ("categorical", NARROW): 40,
        ("choice", WIDE): 9,
    }


def test_jax_permutation() -> None:
    jax = pytest.importorskip("jax")
    table = np.random.default_rng(14).normal(size=(30, 70, 3)).astype(np.float32)
    calls: list[tuple[Any, ...]] = [(1_000,), (40_011,), (table[:, 0, 0],)]
    calls += [(table, axis, independent) for axis in (0, 1, -1) for independent in (False, True)]
    for seed, arguments in enumerate(calls):
        assert_same(
            permutation(keyrng.key(seed), *arguments), np.asarray(jax.random.permutation(seed_key(seed), *arguments))
        )


def test_jax_permutation_of_a_million() -> None:
    jax = pytest.importorskip("jax")
    expected = np.asarray(jax.random.permutation(seed_key(2**31), 1_000_000))

    assert_same(permutation(keyrng.key(2**31), 1_000_000), expected)
    assert_same(choice(keyrng.key(2**31), 1_000_000, (1_000,), replace=False), expected[:1_000])
    with on("numpy"):
        assert_same(choice(keyrng.key(2**31), 1_000_000, (1_000,), replace=False), expected[:1_000])


def seed_key(seed: int) -> Any:
    return pytest.importorskip("jax").random.key(seed)


def test_jax_choice() -> None:
    jax = pytest.importorskip("jax")
    a = np.random.default_rng(15).normal(size=(5, 60, 4)).astype(np.float32)
    for seed, arguments in enumerate(
        [(7,), (60_000, (3, 70)), (20_011, (9, 9), False), (a, (3,), True, None, 1), (a, (2, 4), False, None, 1)]
    ):
        assert_same(choice(keyrng.key(seed), *arguments), np.asarray(jax.random.choice(seed_key(seed), *arguments)))


# jax's compiler fuses and rounds otherwise, so it may decide otherwise between scores a few roundings apart: that
# happens to none of the draws below, but to some neighbours in an order of 20,000 scores.


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_jax_by_probability(dtype: Any) -> None:
    jax = pytest.importorskip("jax")
    rng = np.random.default_rng(16)
    different = total = 0
    for seed in range(5):
        p = rng.random(1_000).astype(dtype) * (rng.random(1_000) < 0.9).astype(dtype)
        table = rng.normal(size=(50, 300)).astype(dtype) * dtype(3)
        for function, arguments in (
            ("choice", {"a": 1_000, "shape": (40,), "p": p, "replace": False}),
            ("categorical", {"logits": table, "shape": (20, 50)}),
            ("categorical", {"logits": table, "shape": (20, 300), "axis": 0}),
            ("categorical", {"logits": table, "shape": (20, 50), "replace": False}),
            ("categorical", {"logits": table, "shape": (2, 5, 300), "axis": 0, "replace": False}),
        ):
            with jax.enable_x64(function == "categorical" and dtype == np.float64):
                expected = np.asarray(getattr(jax.random, function)(seed_key(seed), **arguments))
            found = getattr(keyrng, function)(keyrng.key(seed), **arguments)
            assert found.shape == expected.shape
            different += int((found != expected).sum())
            total += found.size

    assert total > 50_000 and different == 0


@on_both_paths
@pytest.mark.parametrize("size", [1, 2, 10, 16, 17, 1_000, 20_000])
@pytest.mark.turns(3)
def test_jax_by_weight(size: int, path: str) -> None:
    # The sums of weights up to the element before and up to the element itself, in units of their whole: jax draws the
    # element where they contain the end of a step of its grid.
    jax = pytest.importorskip("jax")
    for seed, dtype in enumerate((np.float32, np.float64)):
        p = np.random.default_rng([18, size]).random(size).astype(dtype)
        expected = np.asarray(jax.random.choice(seed_key(seed), size, (100_000,), p=p))
        found = choice(keyrng.key(seed), size, (100_000,), p=p)
        at = np.flatnonzero(found != expected)
        ends = np.cumsum(p, dtype=np.float64) / p.sum(dtype=np.float64)
        steps = 1 - keyrng.uniform(keyrng.key(seed), (100_000,))[at].astype(float)
        # The float32 sums of jax are off by some of their units in the last place.
        near = ends[np.minimum(found, expected)[at]]

        assert (np.abs(found - expected)[at] == 1).all()
        assert ((steps - near > -1e-6) & (steps - near < 2.0**-23 + 1e-6)).all()
        assert at.size <= 1 + 100_000 * (2.0**-23 + 1e-7) * size


@on_both_paths
@pytest.mark.parametrize("mode", ["low", "high"])
def test_jax_bernoulli_near_a_step(mode: str, path: str) -> None:
    # At a p next to the 23 bits of an element, and to all of its bits.
    jax = pytest.importorskip("jax")
    unit = keyrng.uniform(keyrng.key(5), (20_000,))
    words = keyrng.bits(keyrng.key(5), (20_000,)).astype(float)
    for i in np.argsort(unit)[[1, 3, 100, 5_000, 15_000, -2]]:
        for p in (float(unit[i]), float(unit[i]) + 2.0**-23, words[i] * 2.0**-32, (words[i] + 1) * 2.0**-32):
            with np.errstate(under="ignore"):
                expected = np.asarray(jax.random.bernoulli(seed_key(5), p, (20_000,), mode))
            found = keyrng.bernoulli(keyrng.key(5), p, (20_000,), mode)
            at = np.flatnonzero(found != expected)

            assert set(at) <= {i}
            if mode == "low":
                assert (found == (words < p * 2.0**32)).all()
            if p == float(np.float32(p)) and p in (float(unit[i]), float(unit[i]) + 2.0**-23):
                assert not at.size


def test_jax_order_by_probability() -> None:
    jax = pytest.importorskip("jax")
    size, different = 20_000, 0
    for seed in range(4):
        p = np.random.default_rng([17, seed]).random(size, np.float32)
        expected = np.asarray(jax.random.choice(seed_key(seed), size, (size,), False, p))
        found = choice(keyrng.key(seed), size, (size,), False, p)
        scores = gumbels(keyrng.key(seed), (size,), np.float32).astype(float) + np.log(p.astype(float))
        at = np.flatnonzero(found != expected)
        different += at.size
        assert (np.abs(scores[found[at]] - scores[expected[at]]) < 2e-6).all()

    assert different <= 4 * size * 1e-3
