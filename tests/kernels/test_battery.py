"""Words of every layout and algorithm pass the tests of battery.py, and words of bad generators fail them.

Thresholds as in test_statistics.py: N p-values, each of which must be above 0.001 / N (Bonferroni), so that all of them
together had one chance in a thousand to fail by chance when they were written.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

pytest.importorskip("scipy.special")

import battery
from battery import Array
from case import ALGORITHMS
from turn import is_in_turn

from keyrng._cli import stream_layouts
from keyrng.algorithms import threefry

WORDS = 1 << 19
# Those of benchmarks/quality, which has the larger samples.
FEEDS = (
    *(
        "one",
        "fold_in:8192",
        "tree:1",
        "tree:4",
        "tree:8",
        "seeds:8192",
        "one_hot_keys",
        "sparse_keys:2",
        "permuted_paths:16",
    ),
    *("parent_child:1", "chain:64", "float32", "float64"),
)
# An upper bound for the p-values of one stream, asserted below.
EACH = 16
THRESHOLD = 0.001 / (len(FEEDS) * len(ALGORITHMS) * EACH)


def found(words: Array, streams: int) -> dict[str, list[float]]:
    """The p-values of each test."""
    return {test.__name__: test(words, streams) for test in battery.TESTS}


def of_feed(text: str, algorithm: str) -> tuple[Array, int]:
    layout, number = stream_layouts.parse(text)
    keys = stream_layouts.keys_of(layout, number, 0, algorithm)
    # Uniforms have fewer bits than words of their size, and fill words 32 at a time.
    each = -(-WORDS // keys.size) * (1 if layout.draws == "uint32" else 2)
    return stream_layouts.words(layout, keys, 0, each)[:WORDS], keys.size


# Every algorithm with the plainest layout; in the others they take turns, and `pytest -m long` has all pairs.
@pytest.mark.parametrize(
    ("layout", "algorithm"),
    [
        pytest.param(f, a, marks=() if f == "one" or is_in_turn(j - i, len(ALGORITHMS)) else pytest.mark.long)
        for i, f in enumerate(FEEDS)
        for j, a in enumerate(ALGORITHMS)
    ],
)
@pytest.mark.turns(2)
def test_words_are_random(layout: str, algorithm: str) -> None:
    words, streams = of_feed(layout, algorithm)
    assert words.size == WORDS

    p_values = found(words, streams)

    assert sum(map(len, p_values.values())) <= EACH
    assert min(map(min, p_values.values())) > THRESHOLD, p_values


def test_p_values_are_uniform() -> None:
    # Short samples of true noise: a test whose p-values are too large would not detect anything.
    from scipy import stats

    rng = np.random.default_rng(1)
    several = [found(rng.integers(0, 1 << 32, 1 << 14, np.uint32), 16) for _ in range(150)]
    for test in battery.TESTS:
        p_values = np.array([p for one in several for p in one[test.__name__]])
        # Where one count has much of the probability, p-values may be larger than uniform, but not smaller.
        side = "greater" if test in (battery.collisions, battery.birthdays) else "two-sided"
        assert stats.kstest(p_values, "uniform", alternative=side).pvalue > 0.001 / len(battery.TESTS), test.__name__


# These tests can fail


def counter() -> tuple[Array, int]:
    return np.arange(WORDS, dtype=np.uint32), 1


def congruential() -> tuple[Array, int]:
    """Marsaglia's multiplier modulo 2**32: word n is 69069**n."""
    powers = np.full(WORDS, 69069, np.uint32)
    return np.multiply.accumulate(powers, dtype=np.uint32), 1


def of_rounds(rounds: int, streams: int) -> tuple[Array, int]:
    """threefry2x32 with so many of its 20 rounds, of seeds 0, 1, 2, ..."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threefry, "_ROUNDS", rounds)
        block = threefry.threefry2x32.block
        counters, seeds = np.indices((WORDS // streams, streams), np.uint32).reshape(2, -1)
        zero = np.zeros_like(seeds)
        first, second = block((zero, seeds), (zero, counters))
    return first ^ second, streams


def noise(count: int = WORDS) -> Array:
    return np.random.default_rng(2).integers(0, 1 << 32, count, np.uint32)


def one_bit_shared() -> tuple[Array, int]:
    """Return 64 streams, each with one bit of every word taken from the previous stream."""
    words = noise().reshape(-1, 64)
    words[:, 1::2] = words[:, 1::2] & ~np.uint32(1 << 7) | words[:, ::2] & np.uint32(1 << 7)
    return words.reshape(-1), 64


def every_other_equal() -> tuple[Array, int]:
    words = noise().reshape(-1, 64)
    words[:, 2::4] = words[:, ::4]
    return words.reshape(-1), 64


def overlapping() -> tuple[Array, int]:
    """Return 64 streams, each of which is the previous one from its second word on."""
    rows, streams = WORDS // 64, 64
    words = noise(rows + streams)
    return np.lib.stride_tricks.sliding_window_view(words, streams)[:rows].reshape(-1), streams


def even_weights() -> tuple[Array, int]:
    words = noise() & ~np.uint32(1)
    return words | (np.bitwise_count(words) & 1), 1


def weights_that_follow() -> tuple[Array, int]:
    """After a word with many ones the heavier of two, after one with few the lighter."""
    first, one, other = noise(WORDS // 2 * 3).reshape(3, -1)
    heavy, lighter = np.bitwise_count(first) > 16, np.bitwise_count(one) < np.bitwise_count(other)
    return np.stack([first, np.where(heavy ^ lighter, one, other)], axis=1).reshape(-1), 1


CONTROLS: dict[str, Callable[[], tuple[Array, int]]] = {
    "a counter": counter,
    "a congruential generator": congruential,
    **{
        f"{rounds} rounds, {streams} seeds": partial(of_rounds, rounds, streams)
        for rounds, streams in ((2, 1), (4, 1), (6, 1), (2, 256), (4, 256), (6, 256), (8, 256))
    },
    "a bit shared by streams": one_bit_shared,
    "equal streams": every_other_equal,
    "overlapping streams": overlapping,
    "even weights": even_weights,
    "weights that follow": weights_that_follow,
}


ALL = {test.__name__ for test in battery.TESTS}
PAIRS = {"avalanche", "correlations"}

# Which tests catch which. With 8 rounds and one key, or with 10, nothing in samples of this size gives threefry away.
CAUGHT = {
    "a counter": ALL,
    "a congruential generator": ALL - {"monobit", "gaps"},
    "2 rounds, 1 seeds": ALL - {"monobit", "runs"},
    "4 rounds, 1 seeds": {*PAIRS, "birthdays", "gaps", "hamming_weights", "ranks", "serial"},
    "6 rounds, 1 seeds": {*PAIRS, "gaps", "hamming_weights", "serial"},
    "2 rounds, 256 seeds": ALL,
    "4 rounds, 256 seeds": ALL,
    "6 rounds, 256 seeds": ALL - {"ranks"},
    "8 rounds, 256 seeds": {*PAIRS, "bit_places"},
    "a bit shared by streams": {*PAIRS, "hamming_weights"},
    "equal streams": {*PAIRS, "birthdays", "collisions", "gaps", "ranks"},
    "overlapping streams": ALL - {"ranks"},
    "even weights": {"hamming_weights", "ranks"},
    "weights that follow": {*PAIRS, "bit_places", "hamming_weights", "monobit", "serial"},
}


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.turns(3)
def test_bad_words_are_caught(control: str) -> None:
    words, streams = CONTROLS[control]()

    caught = {name for name, p_values in found(words, streams).items() if min(p_values) < THRESHOLD}

    assert caught == CAUGHT[control]


def test_every_test_catches_something() -> None:
    assert set().union(*CAUGHT.values()) == ALL
