"""permutation, choice and categorical: the laws of keys, the kinds of elements, and out."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from cases import ALGORITHMS, Array, assert_same, each_algorithm, on, without_entries
from selection import KEY, ORDERS, RACES, SEED, WEIGHTS, on_both_paths, slow_orders

import keyrng
from keyrng import categorical, choice, permutation
from keyrng._executors import native, sorting

# Keys: each draws for itself


def calls() -> Iterator[tuple[str, Callable[[keyrng.Key], Any]]]:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(4, 5, 3)).astype(np.float32)
    wide = rng.normal(size=(2, 3000))
    p, q = rng.random(700).astype(np.float32), rng.random(5)
    logits = rng.normal(size=(3, 4, 5)).astype(np.float32)
    many = rng.normal(size=(300, 2)).astype(np.float32)
    keys = keyrng.split(keyrng.key(7), (3, 4))
    yield "permutation of 7", lambda k: permutation(k, 7)
    yield "permutation of 3,000", lambda k: permutation(k, 3_000)
    yield "permutation of an array", lambda k: permutation(k, x)
    yield "permutation along axis 1", lambda k: permutation(k, x, 1)
    yield "permutation along axis -1", lambda k: permutation(k, x, -1)
    yield "independent permutation", lambda k: permutation(k, x, 1, True)
    yield "independent permutation in two rounds", lambda k: permutation(k, wide, -1, True)
    yield "permutation of keys", lambda k: keyrng.key_data(permutation(k, keys, 1))
    yield "independent permutation of keys", lambda k: keyrng.key_data(permutation(k, keys, 0, True))
    for replace in (True, False):
        yield f"choice of 20, {replace}", lambda k, r=replace: choice(k, 20, (2, 3), r)
        yield f"choice of 20,000, {replace}", lambda k, r=replace: choice(k, 20_000, (9,), r)
        yield f"choice by p, {replace}", lambda k, r=replace: choice(k, 700, (50,), r, p)
        yield f"choice by p along axis 1, {replace}", lambda k, r=replace: choice(k, x, (2, 2), r, q, 1)
        yield f"choice of one, {replace}", lambda k, r=replace: choice(k, x, (), r, axis=2)
        yield f"choice of keys, {replace}", lambda k, r=replace: keyrng.key_data(choice(k, keys, (2,), r, axis=1))
    for axis in (0, 1, 2):
        yield f"categorical along {axis}", lambda k, a=axis: categorical(k, logits, a)
        shape = (2, 2, *np.delete((3, 4, 5), axis))
        yield f"categorical, more along {axis}", lambda k, a=axis, s=shape: categorical(k, logits, a, s)
        once = (1, 3, *np.delete((3, 4, 5), axis))
        yield f"categorical without, along {axis}", lambda k, a=axis, s=once: categorical(k, logits, a, s, False)
    yield "categorical of float64", lambda k: categorical(k, wide, shape=(3, 2))
    yield "categorical of one of many", lambda k: categorical(k, many, 0, (50, 2))
    yield "categorical, a few of many", lambda k: categorical(k, many, 0, (2, 10, 2), False)
    yield "categorical, a few of more", lambda k: categorical(k, wide, 1, (20, 2), False)


CALLS = dict(calls())
each_call = pytest.mark.parametrize("name", CALLS)


@on_both_paths
@each_call
def test_batch_is_a_stack_of_single_keys(name: str, path: str) -> None:
    call = CALLS[name]
    for algorithm in ALGORITHMS if path == "numpy" else ("threefry2x32", "philox4x64"):
        key = keyrng.key(SEED, impl=algorithm)
        single = call(key)
        for keys in (keyrng.split(key, 3), keyrng.split(key, (2, 2)), keyrng.split(key, 12)[::-5]):
            batch = call(keys)

            assert batch.shape == keys.shape + single.shape and batch.dtype == single.dtype
            assert batch.flags.c_contiguous
            for j in np.ndindex(keys.shape):
                assert_same(batch[j], call(keys[j]), algorithm, keys.shape, j)
        for none in (keyrng.split(key, 0), keyrng.split(key, (2, 0))):
            assert call(none).shape == none.shape + single.shape


@each_call
@each_algorithm
def test_paths_agree(name: str, algorithm: str) -> None:
    keys = keyrng.split(keyrng.key(SEED + 1, impl=algorithm), 3)
    with on("numpy"):
        expected = CALLS[name](keys), CALLS[name](keys[1])
    for path in native.instruction_sets():
        with on(path):
            assert_same(CALLS[name](keys), expected[0], path)
            assert_same(CALLS[name](keys[1]), expected[1], path)


@on_both_paths
def test_many_keys_are_drawn_for_side_by_side(path: str) -> None:
    # More keys than a chunk has room for, in arrays that end within it.
    keys = keyrng.split(KEY, 20_001)
    logits = np.array([0.0, 1.0, -1.0], np.float32)
    orders, draws = permutation(keys, 13), choice(keys, 13, (4,), False)
    races, several = categorical(keys, logits, shape=(5,)), categorical(keys, logits, shape=(2,), replace=False)
    for j in (0, 1, 4_368, 4_369, 10_081, 10_082, 20_000):
        assert_same(orders[j], permutation(keys[j], 13), j)
        assert_same(draws[j], orders[j, :4], j)
        assert_same(races[j], categorical(keys[j], logits, shape=(5,)), j)
        assert_same(several[j], categorical(keys[j], logits, shape=(2,), replace=False), j)


LARGE: dict[str, Callable[[], Array]] = {
    "permutation": lambda: permutation(KEY, 600_001),
    "permutations": lambda: permutation(keyrng.split(KEY, 40_001), 9),
    "independent": lambda: permutation(KEY, np.zeros((501, 401)) + np.arange(401), 1, True),
    "independent, long": lambda: permutation(KEY, np.tile(np.arange(200_003), (2, 1)), 1, True),
    "choice, a few": lambda: choice(KEY, 600_001, (700,), False),
    "choice by p": lambda: choice(KEY, 100, (400_001,), p=np.arange(100.0)),
    "choice by p, a few": lambda: choice(KEY, 300_001, (99,), False, np.ones(300_001, np.float32)),
    "categorical": lambda: categorical(KEY, np.zeros(301), shape=(2_001,)),
    "categorical, many classes": lambda: categorical(KEY, np.zeros((200_001, 2)), 0),
    "categorical, several": lambda: categorical(KEY, np.zeros((501, 401)), shape=(3, 501), replace=False),
}


@pytest.mark.parametrize("name", LARGE)
def test_the_number_of_threads_changes_nothing(name: str) -> None:
    found = []
    try:
        for count in (1, 2, 5):
            keyrng.set_num_threads(count)
            found.append(LARGE[name]())
    finally:
        keyrng.set_num_threads(None)

    for sample in found[1:]:
        assert_same(sample, found[0])


# Kinds of elements

RECORD = np.dtype([("name", "U3"), ("size", "f4")])
KINDS = {
    "bool": np.array([True, False, True, False]),
    "int8": np.arange(4, dtype=np.int8),
    "float16": np.arange(4, dtype=np.float16),
    "complex": np.arange(4) * 1j,
    "big-endian": np.arange(4, dtype=">i4"),
    "text": np.array(["one", "two", "three", "four"]),
    "bytes": np.array([b"1", b"22", b"333", b""]),
    "strings": np.array(["one", "two", "three", "four"], np.dtypes.StringDType()),
    "objects": np.array([None, [1, 2], "x", {"y": 2}], object),
    "dates": np.array(["2020-01-01", "2021-01-01", "2022-01-01", "NaT"], "M8[D]"),
    "records": np.array([("a", 1.0), ("b", 2.0), ("c", 3.0), ("d", 4.0)], RECORD),
    "read-only": np.frombuffer(b"abcd", np.uint8),
    "strided": np.arange(16)[::-4],
}


@pytest.mark.parametrize("kind", KINDS)
def test_elements_of_any_kind(kind: str) -> None:
    x = KINDS[kind]
    table = np.stack([x, x[::-1]], axis=1)
    places, keys = permutation(KEY, 4), keyrng.split(KEY, 2)
    drawn, lines = choice(KEY, 4, (5,)), permutation(KEY, np.arange(8).reshape(4, 2), 0, True)

    assert permutation(KEY, x).dtype == x.dtype
    assert permutation(KEY, x).tolist() == x[places].tolist()
    assert permutation(KEY, table).tolist() == table[places].tolist()
    assert permutation(KEY, table, 0, True).tolist() == table.reshape(-1)[lines].tolist()
    assert permutation(keys, table, 1)[1].tolist() == permutation(keys[1], table, 1).tolist()
    assert choice(KEY, x, (5,)).tolist() == x[drawn].tolist()
    assert choice(KEY, table, (3,), axis=1).tolist() == table[:, choice(KEY, 2, (3,))].tolist()
    one = choice(KEY, x)
    assert isinstance(one, np.ndarray) and one.shape == () and one.dtype == x.dtype
    assert one.tolist() == x.tolist()[int(choice(KEY, 4))]
    out = np.empty_like(x, shape=(4,))
    assert permutation(KEY, x, out=out) is out and out.tolist() == x[places].tolist()


def test_lists_are_arrays() -> None:
    assert permutation(KEY, ["a", "b", "c"]).tolist() == np.array(["a", "b", "c"])[permutation(KEY, 3)].tolist()
    assert permutation(KEY, [[1, 2], [3, 4]], 1).tolist() == np.array([[1, 2], [3, 4]])[:, permutation(KEY, 2)].tolist()
    assert permutation(KEY, []).tolist() == [] and permutation(KEY, ()).shape == (0,)
    assert choice(KEY, (5, 6, 7)).tolist() in (5, 6, 7)
    assert choice(KEY, range(10, 20), (4,), False).tolist() == (choice(KEY, 10, (4,), False) + 10).tolist()


def test_elements_may_be_keys() -> None:
    for keys, axis in ((keyrng.split(KEY, 10), 0), (keyrng.split(KEY, (3, 4)), 0), (keyrng.split(KEY, (3, 4)), -1)):
        words = keyrng.key_data(keys)
        place = axis % keys.ndim
        order = permutation(KEY, keys.shape[place])
        mixed = permutation(KEY, keys, axis)

        assert isinstance(mixed, keyrng.Key) and mixed.impl == keys.impl
        assert_same(keyrng.key_data(mixed), words.take(order, place))
        lines = permutation(KEY, np.arange(keys.size).reshape(keys.shape), axis, True)
        alone = permutation(KEY, keys, axis, independent=True)
        assert_same(keyrng.key_data(alone), words.reshape(-1, 2)[lines])
        drawn = choice(KEY, keys, (2,), axis=axis)
        assert_same(keyrng.key_data(drawn), words.take(choice(KEY, keys.shape[place], (2,)), place))
    assert choice(KEY, keyrng.split(KEY, 5)).shape == ()
    wide = keyrng.split(keyrng.key(1, impl="philox4x64"), 6)
    assert permutation(KEY, wide).impl == "philox4x64" and permutation(wide, 3).shape == (6, 3)


def test_numbers_beyond_int32_are_int64() -> None:
    for size, dtype in ((2**31, np.int32), (2**31 + 1, np.int64), (2**40, np.int64)):
        assert choice(KEY, size, (3,)).dtype == dtype
    assert choice(KEY, 2**62, (1_000,)).max() > 2**61
    assert permutation(KEY, 3).dtype == np.int32
    for call in (lambda: permutation(KEY, 2**32 + 1), lambda: choice(KEY, 2**40, (3,), False)):
        with pytest.raises(ValueError, match=r"a permutation has at most 2\*\*32 elements, got \d+"):
            call()


def test_places_beyond_int32(monkeypatch: pytest.MonkeyPatch) -> None:
    # As if 50 were too many for int32.
    others = (importlib.import_module(f"keyrng.distributions.{name}") for name in ("categorical", "choice"))
    for module in (ORDERS, RACES, WEIGHTS, *others):
        monkeypatch.setattr(module, "index_dtype", lambda size, *_: np.dtype(np.int64 if size > 50 else np.int32))
    for size in (50, 51, 2_000, 140_003):
        dtype = np.int32 if size <= 50 else np.int64
        if size == 50 or size > sorting.LINE:  # a short order is one call of C, and its indices fit int32
            assert_same(permutation(KEY, size), slow_orders(KEY, (size,), 0).astype(dtype))
        for p, replace in itertools.product((None, np.ones(size)), (True, False)):
            with without_entries():
                assert choice(KEY, size, (3,), replace, p).dtype == dtype
        with without_entries():
            assert categorical(KEY, np.zeros(size)).dtype == dtype


def test_nothing_to_draw() -> None:
    a = np.zeros((3, 4, 5), np.int8)
    assert choice(KEY, 0, (0,)).shape == (0,) and choice(KEY, 0, (2, 0), False).dtype == np.int32
    assert choice(KEY, [], (0,)).dtype == np.float64
    for replace, p in itertools.product((True, False), (None, np.ones(4))):
        found = choice(KEY, a, (2, 0), replace, p, 1)
        assert found.shape == (3, 2, 0, 5) and found.dtype == np.int8  # jax: shape (2, 0)
    assert choice(keyrng.split(KEY, 0), a, (2,), axis=2).shape == (0, 3, 4, 2)
    assert permutation(KEY, np.zeros((0, 3)), 1).shape == (0, 3)
    assert permutation(KEY, np.zeros((3, 0)), 0, True).shape == (3, 0)
    assert categorical(KEY, np.zeros((0, 4))).shape == (0,) and categorical(KEY, np.zeros(4), shape=(0,)).shape == (0,)
    assert categorical(KEY, np.zeros((3, 4)), shape=(0, 3), replace=False).shape == (0, 3)
    assert categorical(keyrng.split(KEY, 0), np.zeros((3, 4))).shape == (0, 3)


# out=

OUTS: dict[str, tuple[Callable[..., Any], tuple[int, ...], Any]] = {
    "permutation": (lambda k, **out: permutation(k, 12, **out), (12,), np.int32),
    "permutation of an array": (lambda k, **out: permutation(k, np.ones((3, 4)), 1, **out), (3, 4), np.float64),
    "independent": (lambda k, **out: permutation(k, np.ones((3, 4)), 1, True, **out), (3, 4), np.float64),
    "choice": (lambda k, **out: choice(k, 9, (3, 2), **out), (3, 2), np.int32),
    "choice without replacement": (lambda k, **out: choice(k, 9, (3,), False, **out), (3,), np.int32),
    "choice by p": (lambda k, **out: choice(k, 9, (3,), p=range(9), **out), (3,), np.int32),
    "choice of an array": (lambda k, **out: choice(k, np.ones((2, 3), "f4"), (4,), axis=1, **out), (2, 4), np.float32),
    "choice of text": (lambda k, **out: choice(k, ["a", "bc"], (4,), **out), (4,), "U2"),
    "categorical": (lambda k, **out: categorical(k, np.zeros((3, 4)), **out), (3,), np.int32),
    "categorical, several": (
        lambda k, **out: categorical(k, np.zeros(4), shape=(3,), replace=False, **out),
        (3,),
        np.int32,
    ),
}


@pytest.mark.parametrize("name", OUTS)
def test_out(name: str) -> None:
    call, shape, dtype = OUTS[name]
    for keys in (KEY, keyrng.split(KEY, 2)):
        full = keys.shape + shape
        expected = call(keys)
        for out in (
            np.empty(full, dtype),
            np.empty(full, dtype, order="F"),
            np.empty((*full[:-1], 2 * full[-1]), dtype)[..., ::2],
        ):
            assert call(keys, out=out) is out
            assert_same(np.ascontiguousarray(out), expected)
        frozen = np.empty(full, dtype)
        frozen.flags.writeable = False
        other = "f2" if dtype != "U2" else "U9"
        for out, error, message in (
            ([0], TypeError, "out must be a NumPy array, got list"),
            (np.empty((*full, 1), dtype), ValueError, r"(out must have|logits of) shape .*\("),
            (np.empty(full, other), TypeError, "out must have dtype .*, got .*"),
            (frozen, ValueError, "out must be writable"),
        ):
            with pytest.raises(error, match=message):
                call(keys, out=out)


def test_out_may_be_what_is_permuted() -> None:
    for independent, axis in itertools.product((False, True), (0, 1)):
        x = np.arange(20_000.0).reshape(4_000, 5)
        expected = permutation(KEY, x.copy(), axis, independent)
        assert_same(permutation(KEY, x, axis, independent, out=x), expected)
    x = np.arange(100)
    expected = choice(KEY, x, (50,))
    assert_same(choice(KEY, x, (50,), out=x[50:]), expected)


def test_shape_may_be_that_of_out() -> None:
    a = np.arange(24).reshape(2, 3, 4)
    for keys in (KEY, keyrng.split(KEY, 5)):
        assert_same(choice(keys, 9, out=np.empty((*keys.shape, 6), np.int32)), choice(keys, 9, 6))
        out = np.empty((*keys.shape, 2, 7, 8, 4), a.dtype)
        assert_same(choice(keys, a, axis=1, out=out), choice(keys, a, (7, 8), axis=1))
        out = np.empty((*keys.shape, 3, 2), np.int32)
        assert_same(categorical(keys, np.zeros((2, 9)), out=out), categorical(keys, np.zeros((2, 9)), shape=(3, 2)))
