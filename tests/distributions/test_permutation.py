"""permutation equals the reference for every algorithm and path."""

from __future__ import annotations

import math

import numpy as np
import pytest
from cases import assert_same, each_algorithm
from selection import KEY, ORDERS, SEED, on_both_paths, slow_orders

import keyrng
from keyrng import permutation

# Shorter than a chunk, longer, and so long that several threads share a sort.
SIZES = (0, 1, 2, 5, 100, 1_625, 1_626, 9_001, 140_003, 300_007)


@on_both_paths
@each_algorithm
@pytest.mark.turns(3)
def test_permutation_of_a_range(algorithm: str, path: str) -> None:
    key = keyrng.key(SEED, impl=algorithm)
    for size in SIZES:
        found = permutation(key, size)

        assert_same(found, slow_orders(key, (size,), 0).astype(np.int32), size)
        assert np.array_equal(np.sort(found), np.arange(size))
        assert_same(permutation(key, np.int64(size)), found)
        assert_same(permutation(key, np.array(size, np.uint8 if size < 256 else np.uint32)), found)


def test_permutation_of_three_rounds() -> None:
    # 2,642,246 elements are the first that need a third round.
    for size in (2_642_245, 2_642_246):
        assert_same(permutation(KEY, size), slow_orders(KEY, (size,), 0).astype(np.int32), size)
    assert [
        len(ORDERS.sort_keys(KEY._algorithm, KEY._words[None], n))
        for n in (0, 1, 2, 1_625, 1_626, 2_642_245, 2_642_246, 2**32)
    ] == [*(0, 0, 1, 1, 2, 2, 3, 4)]


SHAPES = ((7,), (3, 4), (2, 3, 4), (1, 5), (5, 1), (60, 40), (2, 900, 3), (60, 50, 60), (2, 140_003), (140_003, 2))


@on_both_paths
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_permutation_of_an_array(shape: tuple[int, ...], path: str) -> None:
    x = np.arange(math.prod(shape), dtype=np.float32).reshape(shape)
    for axis in range(-len(shape), len(shape)):
        line = axis % len(shape)
        moved = permutation(KEY, x, axis)
        alone = permutation(KEY, x, axis, independent=True)

        assert_same(moved, x.take(slow_orders(KEY, (shape[line],), 0), axis), axis)
        assert_same(alone, np.take_along_axis(x, slow_orders(KEY, shape, line), line), axis)
        for made in (moved, alone):
            assert made.flags.c_contiguous and not np.shares_memory(made, x)
            assert np.array_equal(np.sort(made, axis), x)
