"""Weights and probabilities: distributions for extreme weights, and the same rules for every container.

Each test is of a fixed key; where a bound is statistical, one key in 10,000 or fewer would miss it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from cases import HAVE_BFLOAT16, Array, assert_same, both_layouts
from selection import KEY, MODES, SEED, on_both_paths

import keyrng
from keyrng import bernoulli, categorical, choice, multinomial

SMALLEST = {np.float16: 2.0**-24, np.float32: 2.0**-149, np.float64: 2.0**-1074}


def containers(values: list[float]) -> Iterator[Any]:
    """The same numbers in every form that holds them."""
    yield values
    yield tuple(values)
    yield [np.float64(v) for v in values]
    for dtype in (np.float64, np.longdouble, np.float32, np.float16, *(["bfloat16"] if HAVE_BFLOAT16 else [])):
        with np.errstate(over="ignore", under="ignore"):
            array = np.array(values).astype(dtype)
        if (array.astype(np.float64) == values).all():
            yield array
            yield np.repeat(array, 2)[::2]
            yield array.tolist()
    if all(v == int(v) and v < 2**63 for v in values):
        yield [int(v) for v in values]
        yield np.array(values, np.int64)


# bernoulli

CHANCES = [0.3, 0.1, 0.5, 1 / 3, 0.0, 1.0, 1e-8, 2.0**-33, 3 * 2.0**-33, 2.0**-32, 1 - 2.0**-33, 1 - 2.0**-53, 5e-324]


def digits(key: keyrng.Key, shape: tuple[int, ...], mode: str) -> Array:
    """The number that bernoulli compares, as Python's integers."""
    if mode == "low":
        return keyrng.bits(key, shape).astype(object)
    first, second = keyrng.bits(key, (2, *shape)).astype(object)
    return ((first >> 9) << 41) | ((second >> 9) << 18) | ((first & 511) << 9) | (second & 511)


@on_both_paths
@pytest.mark.parametrize("mode", ["low", "high"])
@both_layouts
def test_bernoulli_is_what_it_says(algorithm: str, mode: str, path: str) -> None:
    key = keyrng.key(SEED, impl=algorithm)
    shape = (501,)
    numbers = digits(key, shape, mode)
    # And some whose bound lies at a number that is compared, or next to it.
    at = [Fraction(int(n) + i, 2**32 if mode == "low" else 2**64) for n in np.sort(numbers)[:3] for i in (0, 1)]
    for p in (*CHANCES, *map(float, at)):
        expected = (numbers < round(Fraction(p) * (2**32 if mode == "low" else 2**64))).astype(bool)
        for given in (p, np.float64(p), np.array(p), [p], np.full(shape, p), [p] * 501):
            assert_same(bernoulli(key, given, shape, mode), expected, p, type(given))
        if float(np.float32(p)) == p:
            for narrow in (np.float32(p), np.array(p, np.float32), np.full(shape, p, np.float32)):
                assert_same(bernoulli(key, narrow, shape, mode), expected, p, type(narrow))


@on_both_paths
@pytest.mark.parametrize("mode", ["low", "high"])
def test_bernoulli_of_an_array_is_that_of_its_numbers(mode: str, path: str) -> None:
    p = np.array(CHANCES)
    assert_same(
        bernoulli(KEY, p[:, None], (len(p), 1), mode)[:, 0],
        np.array([bernoulli(KEY, q, (len(p),), mode)[i] for i, q in enumerate(CHANCES)]),
    )
    halves = np.linspace(0, 1, 65).astype(np.float16)
    for given in containers(halves.astype(float).tolist()):
        assert_same(bernoulli(KEY, given, None, mode), bernoulli(KEY, halves.astype(float), None, mode))
    assert_same(bernoulli(KEY, 1, (9,), mode), np.ones(9, bool))
    assert_same(bernoulli(KEY, np.int8(0), (9,), mode), np.zeros(9, bool))


def test_bernoulli_of_a_small_probability() -> None:
    # Three words of this block are below 512, which 23 bits cannot tell apart; one is below p * 2**32.
    p, block = 1e-8, slice(78_400_000, 82_400_000)
    words = keyrng.lazy_array(keyrng.bits, KEY, (2**28,))[block]
    hits = keyrng.lazy_array(bernoulli, KEY, (2**28,), p=p)[block]

    assert words[words < 512].tolist() == [43, 426, 16]
    assert words[hits].tolist() == [16]


# Weights

FAIR = [
    *([dtype, [scale] * 3] for dtype, least in SMALLEST.items() for scale in (least, 3 * least, 1.0)),
    [np.float64, [1e308] * 3],
    [np.float64, [1.7e308] * 3],
    [np.float64, [2.0**-400] * 3],
    [np.float64, [2.0**900] * 3],
    [np.float32, [3e38] * 3],
    [np.float16, [65504.0] * 3],
]


@pytest.mark.parametrize("n", [1, 2, 3])
def test_equal_weights_of_any_size_are_as_likely(n: int) -> None:
    # The draws of weights of 1: the whole is another, and its parts are the same.
    ones = choice(KEY, n, (3_000,), p=np.ones(n)), multinomial(KEY, 10**6, np.ones(n), dtype="int32")
    for dtype, weights in FAIR:
        p = np.array(weights[:n], dtype)
        for given in (p, p.tolist(), p.astype(float)):
            assert_same(choice(KEY, n, (3_000,), p=given), ones[0], dtype, weights)
            assert_same(multinomial(KEY, 10**6, given, dtype="int32"), ones[1], dtype, weights)
        assert choice(KEY, n, (n,), False, p).tolist() == choice(KEY, n, (n,), False, np.ones(n)).tolist()


@on_both_paths
def test_a_power_of_two_changes_nothing(path: str) -> None:
    p = np.random.default_rng(20).random(7) + 0.01
    for power in (-1000, -500, -400, -1, 1, 500, 900, 1000, 1016):
        scaled = np.ldexp(p, power)
        assert_same(choice(KEY, 7, (1_000,), p=scaled), choice(KEY, 7, (1_000,), p=p), power)
        assert_same(multinomial(KEY, 1_000, scaled), multinomial(KEY, 1_000, p), power)


def test_rows_of_weights_are_scaled_each() -> None:
    rows = [[1e308, 1e308, 0], [5e-324, 0, 5e-324], [1.0, 2.0, 3.0], [1e308, 5e-324, 0]]
    counts = multinomial(KEY, 9, rows, dtype="int32")
    for row, weights in enumerate(([1, 1, 0], [1, 0, 1], [1, 2, 3], [1, 0, 0])):
        table = np.ones((4, 3))
        table[row] = weights
        assert_same(counts[row], multinomial(KEY, 9, table, dtype="int32")[row])


@on_both_paths
@both_layouts
def test_one_rule_for_every_container(algorithm: str, path: str) -> None:
    key = keyrng.key(SEED, impl=algorithm)
    for weights in ([0.5, 0.25, 0.125], [1.0, 2.0, 0.0, 4.0], [0.1, 0.2, 0.3], [1e300, 1e-300, 2e300], [2.0**-140] * 3):
        given = list(containers(weights))
        assert len(given) > 3
        for replace, mode in itertools.product((True, False), MODES):
            draws = [choice(key, len(weights), (200,) if replace else (2,), replace, p, 0, mode) for p in given]
            for drawn in draws:
                assert_same(drawn, draws[0], weights, replace)
        for p in given:
            assert_same(multinomial(key, 99, p, dtype="int32"), multinomial(key, 99, given[0], dtype="int32"))


def test_every_one_of_many_elements_is_drawn() -> None:
    size = 2**24
    drawn = choice(KEY, size, (200_000,), p=np.ones(size, np.float32))
    for parts in (2, 3, 4, 7):
        counts = np.bincount(drawn % parts, minlength=parts)
        assert np.abs(counts - drawn.size / parts).max() < 4 * (drawn.size / parts) ** 0.5
    assert np.abs(np.bincount(drawn // (size // 16 + 1), minlength=16) - drawn.size / 16).max() < 500


@on_both_paths
def test_a_light_first_element_is_drawn(path: str) -> None:
    # The greatest uniforms find it: 1 minus them is at most its share.
    count, p = 2**21, 1e-6
    drawn = choice(KEY, 2, (count,), p=[p, 1.0])
    words = keyrng.bits(KEY, (count,)).astype(np.uint64) << 32 | keyrng.bits(KEY, (count,), "uint64") & 0xFFFFFFFF
    expected = (1 - (words >> 11) * 2.0**-53) * (1 + p) <= p

    assert 0 < expected.sum() < 10
    assert np.flatnonzero(drawn == 0).tolist() == np.flatnonzero(expected).tolist()


def test_keys_and_pieces_draw_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    module: Any = importlib.import_module("keyrng.distributions._shared.weighted")
    p = np.random.default_rng(21).random(50)
    keys = keyrng.split(KEY, (3, 2))
    whole = choice(keys, 50, (7, 13), p=p)
    for j in np.ndindex(3, 2):
        assert_same(whole[j], choice(keys[j], 50, (7, 13), p=p))
        assert_same(whole[j].ravel()[:20], choice(keys[j], 50, (20,), p=p))
    for chunk in (1, 10, 91, 100, 200):
        monkeypatch.setattr(module, "_CHUNK", chunk)
        assert_same(choice(keys, 50, (7, 13), p=p), whole, chunk)


# Logits far from 0

FAR = [
    (np.float32, [-1e7, -1e7]),
    (np.float32, [1e7, 1e7]),
    (np.float32, [-129.0, -129.0]),
    (np.float32, [3e38, 3e38]),
    (np.float32, [-3.4e38, -3.4e38]),
    (np.float32, [-1e7, -1e7 + 1]),
    (np.float64, [1e15, 1e15]),
    (np.float64, [-1e300, -1e300]),
    (np.float64, [1e308, 1e308]),
    (np.float64, [2.0**50, 2.0**50 + 1]),
]


@on_both_paths
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("row", range(len(FAR)))
def test_logits_far_from_0_are_those_next_to_it(row: int, mode: str, path: str) -> None:
    dtype, values = FAR[row]
    far = np.array(values, dtype)
    near = far - far.max()
    for given, wanted in ((far, near), (far.tolist(), near.tolist()), (np.stack([far, far]), np.stack([near, near]))):
        assert_same(categorical(KEY, given, mode=mode, shape=None), categorical(KEY, wanted, mode=mode))
        several = (500,) if np.ndim(given) == 1 else (500, 2)
        assert_same(categorical(KEY, given, -1, several, mode=mode), categorical(KEY, wanted, -1, several, mode=mode))
        both = several[1:]
        without = categorical(KEY, given, -1, (2, *both), False, mode)
        assert_same(without, categorical(KEY, wanted, -1, (2, *both), False, mode))
    assert_same(categorical(KEY, far[:, None], 0, (50, 1)), categorical(KEY, near[:, None], 0, (50, 1)))


def test_only_rows_beyond_the_magnitude_are_moved() -> None:
    rng = np.random.default_rng(22)
    table = rng.normal(size=(5, 40)).astype(np.float32)
    moved = table + np.array([[0], [120], [-125], [1e5], [-1e6]], np.float32)
    expected = moved.copy()
    expected[3:] -= expected[3:].max(axis=1, keepdims=True)
    found = categorical(KEY, moved, shape=(400, 5))
    gumbels = keyrng.gumbel(KEY, (400, 5, 40))

    assert np.abs(moved[:3].max(axis=1)).max() < 128
    assert_same(found, (gumbels + expected).argmax(axis=-1).astype(np.int32))


def test_equal_logits_far_from_0_are_as_likely() -> None:
    for logits in ([-1e7, -1e7], np.full(2, -1e7, np.float32), np.full(2, 1e16), np.full(2, 65504, np.float16)):
        draws = categorical(KEY, logits, shape=(40_000,))
        assert abs(draws.mean() - 0.5) < 4 * 0.5 / 200
        firsts = categorical(keyrng.split(KEY, 40_000), logits, shape=(2,), replace=False)[:, 0]
        assert abs(firsts.mean() - 0.5) < 4 * 0.5 / 200


def test_weights_far_from_1_without_replacement() -> None:
    keys = keyrng.split(KEY, 20_000)
    for p in ([1e-300] * 3, [5e-324] * 3, [1e300] * 3):
        assert_same(choice(keys, 3, (2,), False, p), choice(keys, 3, (2,), False, [1, 1, 1]))


def test_a_class_that_has_a_probability_can_be_drawn_without_replacement() -> None:
    assert categorical(KEY, [0.0, -1e300], shape=(2,), replace=False).tolist() == [0, 1]
    assert choice(KEY, 2, (2,), False, [1e300, 1e-300]).tolist() == [0, 1]
    with pytest.raises(ValueError, match="2 draws without replacement"):
        categorical(KEY, [0.0, -np.inf], shape=(2,), replace=False)
