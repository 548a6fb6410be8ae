"""permutation, choice and categorical: the counts of all outcomes against their probabilities.

Each p-value is from fixed keys, and one in 10,000 would be chance.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from cases import Array, each_algorithm

import keyrng
from keyrng import categorical, choice, permutation

SMALLEST_P = 1e-4


def p_value(found: Any, expected: dict[Any, float]) -> float:
    """Return the p-value of a chi-square test of outcomes against their probabilities."""
    stats = pytest.importorskip("scipy.stats")
    counts = Counter(map(tuple, found.tolist())) if found.ndim > 1 else Counter(found.tolist())
    assert set(counts) <= set(expected)
    wanted = np.array(list(expected.values())) * len(found)
    assert wanted.min() > 5
    statistic = ((np.array([counts[outcome] for outcome in expected]) - wanted) ** 2 / wanted).sum()
    return float(stats.chi2.sf(statistic, len(expected) - 1))


def evenly(outcomes: Any) -> dict[Any, float]:
    outcomes = list(outcomes)
    return dict.fromkeys(outcomes, 1 / len(outcomes))


def successive(p: Any, count: int) -> dict[Any, float]:
    """The probabilities of draws one after the other without replacement."""
    found = {}
    for places in itertools.permutations(np.flatnonzero(p).tolist(), count):
        left, probability = float(np.sum(p)), 1.0
        for place in places:
            probability *= p[place] / left
            left -= p[place]
        found[places] = probability
    return found


def distributions(keys: keyrng.Key) -> Iterator[tuple[str, Array, dict[Any, float]]]:
    five = list(itertools.permutations(range(5)))
    p, n = np.array([0.1, 0.4, 0.0, 0.2, 0.3]), keys.size
    with np.errstate(divide="ignore"):
        logits = np.log(p) + 7
    yield "permutation", permutation(keys, 5), evenly(five)
    lines = np.tile(np.arange(4), (n, 1))
    yield "independent lines", permutation(keys[0], lines, 1, True), evenly(itertools.permutations(range(4)))
    yield "choice", choice(keys, 5, (2,)), evenly(itertools.product(range(5), repeat=2))
    yield "choice without replacement", choice(keys, 5, (3,), False), evenly(itertools.permutations(range(5), 3))
    by_p = {(i, j): p[i] * p[j] for i in (0, 1, 3, 4) for j in (0, 1, 3, 4)}
    yield "choice by p", choice(keys, 5, (2,), p=p), by_p
    yield "choice by p, one key", choice(keys[1], 5, (n, 2), p=20 * p), by_p
    yield "choice by p without replacement", choice(keys, 5, (3,), False, p), successive(p, 3)
    yield "categorical", categorical(keys, logits, shape=(2,)), by_p
    yield "categorical, one key", categorical(keys[2], logits.astype(np.float32), shape=(n, 2)), by_p
    yield "categorical along axis 0", categorical(keys[3], np.repeat(logits[:, None], n, 1), 0, (2, n)).T, by_p
    without = categorical(keys, logits, shape=(3,), replace=False)
    yield "categorical without replacement", without, successive(p, 3)


@each_algorithm
@pytest.mark.turns(3)
def test_all_outcomes_have_their_probabilities(algorithm: str) -> None:
    keys = keyrng.split(keyrng.key(12, impl=algorithm), 30_000)
    small = {name: found for name, *rest in distributions(keys) if (found := p_value(*rest)) < SMALLEST_P}

    assert small == {}


def test_neighbouring_seeds_permute_independently() -> None:
    keys = keyrng.stack([keyrng.key(seed) for seed in range(12_000)])
    pairs = permutation(keys, 3).reshape(-1, 6)
    outcomes = [a + b for a in itertools.permutations(range(3)) for b in itertools.permutations(range(3))]

    assert p_value(pairs, evenly(outcomes)) > SMALLEST_P


def test_every_place_of_a_long_permutation_is_as_likely() -> None:
    # The positions of the first, a middle and the last element, in 40 bins, and the elements at these positions.
    stats = pytest.importorskip("scipy.stats")
    size, keys = 2_000, keyrng.split(keyrng.key(13), 4_000)
    orders = permutation(keys, size)
    for place in (0, 1, size // 2, size - 1):
        for where in (orders[:, place], (orders == place).argmax(axis=1)):
            assert stats.chisquare(np.bincount(where * 40 // size, minlength=40)).pvalue > SMALLEST_P
