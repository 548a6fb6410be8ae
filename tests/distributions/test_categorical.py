"""categorical equals the reference in every mode, and its memory is proportional to the result."""

from __future__ import annotations

import itertools
import math
import tracemalloc
from typing import Any

import numpy as np
import pytest
from cases import HAVE_BFLOAT16, Array, assert_same, both_layouts
from selection import KEY, MODES, RACES, SEED, on_both_paths, slow_categorical

import keyrng
from keyrng import categorical, choice


@on_both_paths
@both_layouts
@pytest.mark.turns(2)
def test_categorical_is_what_it_says(algorithm: str, path: str) -> None:
    key = keyrng.key(SEED, impl=algorithm)
    rng = np.random.default_rng(8)
    for dtype in (np.float32, np.float64):
        for shape, axis, wanted in (
            ((7,), 0, (1_000,)),
            ((7,), -1, ()),
            ((3, 4, 5), 1, (2, 3, 5)),
            ((3, 4, 5), 0, (6, 4, 5)),
            ((3, 4, 5), -1, (3, 4)),
            ((1, 6), -1, (4, 9)),
            ((5, 6, 1), 1, (2, 5, 3)),
            ((300, 301), 1, (4, 300)),
            ((1_001, 100), 0, (100,)),
            ((70_001,), 0, (2,)),
            ((2, 70_001), -1, (2, 2)),
            ((3, 70_001), 0, (70_001,)),
        ):
            logits = rng.normal(size=shape).astype(dtype) * dtype(3)
            several = math.prod(wanted[: len(wanted) + 1 - len(shape)])
            for mode, replace in itertools.product(MODES, (True, False) if several <= shape[axis] else (True,)):
                arguments = (logits, axis, wanted, replace, mode)
                expected = slow_categorical(key, *arguments).astype(np.int32)
                assert_same(categorical(key, *arguments), expected, dtype, shape, *arguments[1:])


def test_the_first_of_equal_scores_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    logits = np.array([1.0, 5.0, 5.0, 2.0, 5.0], np.float32)

    def no_gumbels(kernel: Any, key: Any, out: Array, *rest: Any) -> None:
        out[...] = 0

    monkeypatch.setattr(RACES, "fill_range", no_gumbels)
    for classes, slab in itertools.product((5, 200, 500, 5_000), (1, 7, 1_000, 1 << 16)):
        monkeypatch.setattr(RACES.CpuTopK, "slab", slab)
        for after in (1, 3):
            table = np.repeat(np.resize(logits, classes)[:, None], after, axis=1)
            highest = np.argsort(-table, axis=0, kind="stable").astype(np.int32)
            assert_same(categorical(KEY, table, 0), np.full(after, 1, np.int32))
            for count in (2, classes * 3 // 4):
                several = categorical(KEY, table, 0, (count, after), replace=False)
                assert_same(several, highest[:count], classes, slab, after)


def test_slabs_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(9)
    keys = keyrng.split(KEY, 3)
    given = [
        (rng.normal(size=(4, 30, 7)).astype(np.float32), axis, shape, replace)
        for axis, shape, replace in (
            (0, (3, 30, 7), True),
            (1, (2, 4, 7), True),
            (2, (2, 4, 30), True),
            (1, (2, 4, 7), False),
            (2, (5, 4, 30), False),
        )
    ]
    expected = [categorical(keys, *arguments) for arguments in given]
    for slab in (5, 8, 30, 100, 211, 1_000):
        monkeypatch.setattr(RACES.CpuTopK, "slab", slab)
        for arguments, sample in zip(given, expected, strict=True):
            assert_same(categorical(keys, *arguments), sample, slab, *arguments[1:])


@on_both_paths
def test_logits_for_each_key(path: str) -> None:
    rng = np.random.default_rng(10)
    keys = keyrng.split(KEY, 3)
    for shape, axis in (((3, 5), -1), ((5, 3), 0)):
        logits = rng.normal(size=shape).astype(np.float32)
        each = categorical(keys, logits, axis, ())
        assert each.shape == (3,)
        for j in range(3):
            assert_same(each[j], categorical(keys[j], logits.take(j, 1 - axis % 2)))
    logits = rng.normal(size=(3, 5, 4)).astype(np.float32)
    each = categorical(keys, logits, 1, (4,))
    for j in range(3):
        assert_same(each[j], categorical(keys[j], logits[j], 0))
    logits = rng.normal(size=(5, 3, 2, 4)).astype(np.float32)
    each = categorical(keys, logits, 0, (2, 4))
    for j in range(3):
        assert_same(each[j], categorical(keys[j], logits[:, j], 0))
    pairs = keyrng.split(KEY, (2, 3))
    logits = rng.normal(size=(2, 1, 1, 5)).astype(np.float32)
    each = categorical(pairs, logits, -1, (6,))
    for j in np.ndindex(2, 3):
        assert_same(each[j], categorical(pairs[j], logits[j[0], 0], -1, (6,)))


@on_both_paths
def test_16_bit_logits_are_computed_in_float32(path: str) -> None:
    logits = np.random.default_rng(11).normal(size=(3, 40)).astype(np.float16)
    for narrow in (logits, logits.astype("bfloat16") if HAVE_BFLOAT16 else logits):
        wide = narrow.astype(np.float32)
        assert_same(categorical(KEY, narrow, shape=(50, 3)), categorical(KEY, wide, shape=(50, 3)))
        p = np.exp(narrow[0])
        assert_same(choice(KEY, 40, (50,), p=p), choice(KEY, 40, (50,), p=p.astype(np.float32)))


@on_both_paths
def test_numbers_and_lists_are_float32(path: str) -> None:
    logits = [0.1, 0.2, 0.3, 0.4]
    single, double = np.array(logits, np.float32), np.array(logits)
    assert_same(categorical(KEY, logits, shape=(99,)), categorical(KEY, single, shape=(99,)))
    assert not np.array_equal(categorical(KEY, logits, shape=(99,)), categorical(KEY, double, shape=(99,)))


@on_both_paths
def test_memory_is_that_of_the_result(path: str) -> None:
    rounds = 200 if path == "numpy" else 2_000
    logits = np.zeros(5_000, np.float32)
    categorical(KEY, logits)
    tracemalloc.start()
    try:
        categorical(KEY, logits, shape=(rounds,))  # 40 MB of gumbels
        categorical(keyrng.split(KEY, rounds), logits)
        categorical(KEY, np.broadcast_to(logits[:, None], (5_000, rounds))[:, :9], 0)
        assert tracemalloc.get_traced_memory()[1] < 5 * 2**20
    finally:
        tracemalloc.stop()
