"""Sorting by random words, in C and by NumPy, is stable for all words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import PATHS, assert_same, each_algorithm

import keyrng
from keyrng._executors import native, sorting
from keyrng._executors.threads import set_num_threads

KEY = keyrng.key(2024)

on_both_paths = pytest.mark.parametrize("path", PATHS[:2], indirect=True)

# Words that are uniform; full of equal ones, which keep their order; in one bucket; at its ends; already in order.
WORDS: dict[str, Any] = {
    "uniform": lambda size: keyrng.bits(KEY, size),
    "few": lambda size: keyrng.randint(KEY, size, 0, 3, "uint32") << np.uint32(30),
    "low": lambda size: keyrng.randint(KEY, size, 0, 100, "uint32"),
    "ends": lambda size: keyrng.randint(KEY, size, -1, 1, "int32").view(np.uint32),
    "equal": lambda size: np.full(size, 0x80000000, np.uint32),
    "ascending": lambda size: np.sort(keyrng.bits(KEY, size)),
    "descending": lambda size: np.sort(keyrng.bits(KEY, size))[::-1].copy(),
}
SIZES = (1, 2, 3, 7, 16, 100, 1_000, sorting.LINE, sorting.LINE + 1)


@on_both_paths
@pytest.mark.parametrize("words", WORDS)
def test_the_order_is_stable(words: str, path: str) -> None:
    for size in SIZES:
        drawn = WORDS[words](size)
        order, places = np.argsort(drawn, kind="stable"), keyrng.bits(keyrng.fold_in(KEY, 1), size)
        assert_same(sorting.sort_words(drawn), order.astype(np.uint32), size)
        assert_same(sorting.sort_words(drawn, places.copy()), places[order], size)
        lines = np.stack([drawn, drawn[::-1]])
        by_line = np.argsort(lines, axis=-1, kind="stable")
        assert_same(sorting.sort_lines(lines), by_line.astype(np.uint32), size)
        both = np.stack([places, places + np.uint32(1)])
        assert_same(sorting.sort_lines(lines, both), np.take_along_axis(both, by_line, -1), size)


@on_both_paths
def test_words_below_a_limit(path: str) -> None:
    for limit in (1, 2, 1_000, 2**31 + 5):
        drawn = keyrng.randint(KEY, 50_000, 0, limit, "uint32")
        found = sorting.sort_words(drawn, limit=limit)

        assert_same(found, np.argsort(drawn, kind="stable").astype(np.uint32), limit)


@each_algorithm
def test_threads_change_nothing(algorithm: str) -> None:
    key = keyrng.key(3, impl=algorithm)
    drawn = keyrng.bits(key, 1_200_007)
    order, places = np.argsort(drawn, kind="stable").astype(np.uint32), drawn[::-1]
    try:
        for threads in (1, 2, 3, 8):
            set_num_threads(threads)
            assert_same(sorting.sort_words(drawn), order, threads)
            own = sorting.sort_drawn(key._algorithm, key._words, drawn.size)
            if native.enabled:
                assert_same(own, order, threads)
                by_place = sorting.sort_drawn(key._algorithm, key._words, drawn.size, places.copy())
                assert_same(by_place, places[order], threads)
            else:
                assert own is None
    finally:
        set_num_threads(None)


@pytest.mark.skipif(not native.enabled, reason="no compiled path")
def test_a_part_has_several_slices() -> None:
    drawn = keyrng.bits(KEY, 2**22 + 2**21 + 5)
    set_num_threads(2)
    try:
        order = sorting.sort_drawn(KEY._algorithm, KEY._words, drawn.size)
    finally:
        set_num_threads(None)

    assert_same(order, np.argsort(drawn, kind="stable").astype(np.uint32))


@on_both_paths
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "complex64", "complex128", "U3", "O", "datetime64[s]"])
def test_elements_at_places(dtype: str, path: str) -> None:
    for shape in ((300,), (300, 3), (300, 0)):
        array = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
        places = keyrng.randint(KEY, 5_000, 0, 300)

        assert_same(sorting.take(array, places), array[places], shape)
        assert_same(sorting.take(array, places.astype(np.int64)), array[places], shape)


@on_both_paths
def test_words_that_a_table_selects(path: str) -> None:
    words = keyrng.bits(KEY, 10_001)
    for bits in (1, 5, 15):
        table = np.zeros(1 << bits, np.uint16)
        table[1::2] = np.arange(1, len(table) // 2 + 1)
        found, places = sorting.select(words, 7, bits, table)
        near = np.flatnonzero(words >> (32 - bits) & 1)

        assert_same(places, (near + 7).astype(np.uint32))
        low = np.uint32(2 ** (32 - bits) - 1)
        assert_same(found, words[near] & low | (words[near] >> (33 - bits)) << np.uint32(32 - bits))
