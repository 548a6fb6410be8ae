"""sample_without_replacement draws distinct integers, which are elements of index_shuffle."""

from __future__ import annotations

import numpy as np
import pytest
from cases import assert_same
from selection import KEY

import keyrng
from keyrng import index_shuffle, sample_without_replacement


@pytest.mark.parametrize("n", [5, 30, 1_000, 2**63])
def test_it_is_the_beginning_of_a_permutation(n: int) -> None:
    for shape in ((), (0,), (5,), (1, 3), 4, None):
        full = () if shape is None else (shape,) if isinstance(shape, int) else shape
        index = np.arange(np.prod(full, dtype=int)).reshape(full)

        assert_same(sample_without_replacement(KEY, n, shape), index_shuffle(KEY, index, n))
        keys = keyrng.split(KEY, (2, 3))
        drawn = sample_without_replacement(keys, n, full)
        assert_same(drawn, index_shuffle(keys, index, n))
        assert_same(drawn[1, 2], sample_without_replacement(keys[1, 2], n, full))
    assert_same(sample_without_replacement(KEY, n, 5)[:3], sample_without_replacement(KEY, n, 3))


def test_all_of_them_are_a_permutation() -> None:
    for n in (1, 2, 97, 4_096):
        assert np.array_equal(np.sort(sample_without_replacement(KEY, n, n)), np.arange(n))


def test_out_gives_shape_and_dtype() -> None:
    for dtype in (np.uint8, np.int32, np.int64):
        out = np.empty((2, 3), dtype)
        assert sample_without_replacement(KEY, 200, out=out) is out
        assert np.array_equal(out, sample_without_replacement(KEY, 200, (2, 3)))
