"""choice equals the reference: with and without weights, and as a prefix of a permutation without replacement."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from cases import ALGORITHMS, PATHS, Array, assert_same, each_algorithm, on
from selection import KEY, ORDERS, SEED, WEIGHTS, on_both_paths, slow_choice, slow_sum

import keyrng
from keyrng import choice, permutation
from keyrng._executors.sorting import histogram

# Choice without replacement is the beginning of a permutation


@on_both_paths
@pytest.mark.parametrize("few", [1, 10**9], ids=["at ranks", "whole rounds"])
@pytest.mark.parametrize("random_bits", [32, 20, 12, 5, 1, 0])
@pytest.mark.turns(3)
def test_a_few_places_are_those_of_the_whole_order(
    random_bits: int, few: int, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Words of few bits are full of equal ones, among which the place decides.
    words = ORDERS.SortKeys.draw
    kept = 2**random_bits - 1
    # The bits that are left begin or end the word; the others are 0, or 1, so that no word is as small as expected.
    for mask, more in ((kept, 0), (kept << (32 - random_bits), 0), (kept, 2**32 - 1 - kept)):

        def few_bits(*given: Any, mask: int = mask, more: int = more) -> Array:
            return words(*given) & np.uint32(mask) | np.uint32(more)

        monkeypatch.setattr(ORDERS.SortKeys, "draw", few_bits)
        monkeypatch.setattr(ORDERS.sorting, "sort_drawn", lambda *given: None)
        monkeypatch.setattr(ORDERS.sorting, "LINE", 70)
        monkeypatch.setattr(ORDERS, "_FEW", few)
        monkeypatch.setattr(ORDERS, "_MANY", 1)
        for size in (100, 1_626, 20_000, 140_003):
            order = ORDERS.orders(KEY, (size,))
            assert np.array_equal(np.sort(order), np.arange(size))
            for count in {1, 7, size // 64, size // 10, size - 1, size}:
                assert_same(ORDERS.first_k(KEY, size, count), order[:count], size, count)


@on_both_paths
@each_algorithm
@pytest.mark.turns(3)
def test_choice_without_replacement_begins_a_permutation(algorithm: str, path: str) -> None:
    key = keyrng.key(SEED, impl=algorithm)
    for size in (1, 2, 10, 1_626, 8_192, 140_003, 300_007):
        order = permutation(key, size)
        for count in {0, 1, 5, size // 70, size // 2, size} & set(range(size + 1)):
            assert_same(choice(key, size, (count,), False), order[:count], size, count)
    assert_same(choice(key, 300_007, (20, 30), False), order[:600].reshape(20, 30))


@on_both_paths
def test_histogram_counts_leading_bits(path: str) -> None:
    words = keyrng.bits(KEY, 100_001)
    for bits, length in itertools.product((1, 2, 10, 16), (0, 1, 4_097, 100_001)):
        expected = np.bincount(words[:length] >> (32 - bits), minlength=2**bits)
        assert np.array_equal(histogram(words[:length], bits), expected)


def test_choice_of_a_few_after_three_rounds() -> None:
    for count in (1, 1_000):
        assert_same(choice(KEY, 2_700_000, (count,), False), permutation(KEY, 2_700_000)[:count])


# Choice


@on_both_paths
def test_choice_is_what_it_says(path: str) -> None:
    rng = np.random.default_rng(3)
    for algorithm, dtype in itertools.product(ALGORITHMS, (np.float16, np.float32, np.float64)):
        key = keyrng.key(SEED, impl=algorithm)
        for size in (1, 5, 16, 17, 300, 5_000):
            p = rng.random(size).astype(dtype) + dtype(0.01)
            for given, replace in itertools.product((None, p), (True, False)):
                shape = (3, 100) if replace else (1, min(size, 40))
                expected = slow_choice(key, size, shape, replace, given)
                found = choice(key, size, shape, replace, given)
                assert_same(found, expected.astype(np.int32), algorithm, size, replace, given is not None)


@on_both_paths
def test_choice_of_the_elements_of_an_array(path: str) -> None:
    a = np.arange(4 * 5 * 6).reshape(4, 5, 6)
    p = {4: [1, 2, 3, 4], 5: [0, 1, 0, 2, 3], 6: [1.5, 0, 0, 2.5, 1, 1]}
    for axis, replace, shape in itertools.product(range(-3, 3), (True, False), ((), (1,), (3,), (2, 1), (0,), (2, 0))):
        size = a.shape[axis]
        for weights in (None, p[size]):
            found = choice(KEY, a, shape, replace, weights, axis)
            places = choice(KEY, size, shape, replace, weights)

            assert_same(found, a.take(places, axis))
            assert isinstance(found, np.ndarray) and found.flags.c_contiguous


def test_cumulative_sum_has_a_written_order() -> None:
    rng = np.random.default_rng(4)
    for size, dtype in itertools.product(
        (1, 2, 15, 16, 17, 31, 32, 33, 255, 256, 257, 4_096, 4_097, 70_001), (np.float32, np.float64)
    ):
        x = rng.random(size).astype(dtype)
        assert_same(WEIGHTS.cumulative_sum(x), slow_sum(x), size)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_table_finds_what_a_search_finds(dtype: Any) -> None:
    rng = np.random.default_rng(6)
    equal, few = np.ones(1_000), rng.random(1_000) * (rng.random(1_000) < 0.01)
    rows = [equal, few, rng.random(1_000), 0.9 ** np.arange(700), 10.0 ** -np.arange(30), [1.0], [0.0, 0.0, 2.0, 0.0]]
    rows += [np.append(np.full(999, 1e-30), 1.0), np.append(1.0, np.full(999, 1e-6)), rng.random(50) * 1e-37]
    for row in rows:
        p = np.asarray(row, dtype)
        reached = np.maximum.accumulate(np.cumsum(p, dtype=dtype))
        parts = (reached[-1] * (1 - rng.random(20_000, dtype=dtype))).astype(dtype)
        parts = np.concatenate([parts, reached[reached > 0], np.nextafter(reached[reached > 0], dtype(0))])
        parts = parts[parts > 0]
        for count in (1, parts.size):  # without and with the table
            found = np.empty(parts.size, np.int32)
            WEIGHTS._search(reached, count)(parts, found)
            assert np.array_equal(found, np.searchsorted(reached, parts))


@pytest.mark.parametrize("path", PATHS)
def test_few_weights(path: str) -> None:
    # As many thresholds as are searched in registers, one more, and as many as are compared with all numbers.
    rng = np.random.default_rng(8)
    for size, n in itertools.product((1, 2, 7, 8, 14, 15, 16, 17, 40, 64, 65), (1, 31, 33, 300, 5000)):
        p = rng.random(size) * (rng.random(size) < 0.8)
        p[rng.integers(size)] = 1.0
        keys = keyrng.split(KEY, 3)
        with on("numpy"):
            expected, of_keys = choice(KEY, size, (n,), p=p), choice(keys, size, (n,), p=p)
        with on(path):
            assert_same(choice(KEY, size, (n,), p=p), expected, size)
            assert_same(choice(keys, size, (n,), p=p), of_keys, size)


@on_both_paths
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_has_no_weight_is_never_drawn(dtype: Any, path: str) -> None:
    # jax's sum of blocks rises at some of these; and a part of a subnormal sum underflows to 0, which finds the first.
    rng = np.random.default_rng(7)
    tiny = np.finfo(dtype).smallest_subnormal
    rows = [(rng.random(20_000) * (rng.random(20_000) < 0.5)).astype(dtype) for _ in range(10)]
    rows += [np.array(row, dtype) for row in ([0, tiny, 0], [0, 0, 3 * tiny, tiny, 0], [0, 1e-30, 1, 0], [0, 0, 1])]
    for p in rows:
        drawn = choice(KEY, p.size, (100_000,), p=p)
        assert (p[drawn] > 0).all()
        possible = int((p > 0).sum())
        assert (p[choice(KEY, p.size, (possible,), False, p)] > 0).all()
