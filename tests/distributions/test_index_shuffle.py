"""index_shuffle: a permutation, uniform, invertible, of any length, the same on every path.

Chi-squares have fixed keys. Some 60 p-values here are each below the threshold by chance in one case of a million.
"""

from __future__ import annotations

import itertools
import math
import tracemalloc
from typing import Any

import numpy as np
import pytest
from cases import ALGORITHMS, INTEGERS, Array, assert_same, each_algorithm, on

import keyrng
from keyrng.distributions.index_shuffle import _ROUNDS, _runs

KEY = keyrng.key(0)
THRESHOLD = 1e-6

# Every shape of the rectangle up to 9 x 8, and lengths where it changes.
LENGTHS = (*range(1, 73), *(2**m + d for m in range(7, 13) for d in (-1, 0, 1)), 100, 1000)
LARGE = (10**9 + 7, 2**32 - 1, 2**32, 2**32 + 1, 10**12, 2**62 + 3, 2**63 - 1, 2**63)


def places(n: int, count: int = 2_000) -> Array:
    """Indices at both ends, and spread over the whole."""
    spread = [i * (n - 1) // (count - 1) for i in range(count)]
    return np.unique(np.array([*spread, *range(count), *range(n - count, n)], np.int64))


# A permutation


def test_a_permutation_and_its_inverse(path: str) -> None:
    for n in LENGTHS if path != "numpy" else LENGTHS[::5]:
        keys = keyrng.split(KEY, 5)
        shuffled = keyrng.index_shuffle(keys, np.arange(n), n)
        back = keyrng.index_shuffle(keys, np.arange(n), n, inverse=True)

        assert shuffled.shape == (5, n) and shuffled.dtype == np.int64
        assert (np.sort(shuffled) == np.arange(n)).all(), n
        assert (np.take_along_axis(shuffled, back, 1) == np.arange(n)).all(), n


@pytest.mark.parametrize("n", LARGE)
def test_large_lengths(n: int, path: str) -> None:
    index = places(n)
    shuffled = keyrng.index_shuffle(KEY, index, n)

    assert shuffled.min() >= 0 and int(shuffled.max()) < n
    assert np.unique(shuffled).size == index.size
    assert_same(keyrng.index_shuffle(KEY, shuffled, n, inverse=True), index)
    assert_same(keyrng.index_shuffle(KEY, keyrng.index_shuffle(KEY, index, n, inverse=True), n), index)


def test_keys_algorithms_and_lengths_give_unrelated_permutations() -> None:
    index = np.arange(1000)
    found = [keyrng.index_shuffle(keyrng.key(s, impl=a), index, 1000) for s in (0, 1) for a in ALGORITHMS]
    found += [keyrng.index_shuffle(KEY, index, n) for n in (1001, 1002, 1024, 2**63)]

    for a, b in itertools.combinations(found, 2):
        assert (a == b).sum() < 12  # one is expected, 12 or more have probability 1e-9


# A reference implementation


def threefry(key: int, x: int, y: int) -> tuple[int, int]:
    k = [key & 0xFFFFFFFF, key >> 32]
    k.append(k[0] ^ k[1] ^ 0x1BD11BDA)
    x, y = (x + k[0]) & 0xFFFFFFFF, (y + k[1]) & 0xFFFFFFFF
    for i in range(20):
        x = (x + y) & 0xFFFFFFFF
        r = (13, 15, 26, 6, 17, 29, 16, 24)[i % 8]
        y = (y << r | y >> (32 - r)) & 0xFFFFFFFF ^ x
        if i % 4 == 3:
            turn = i // 4 + 1
            x, y = (x + k[turn % 3]) & 0xFFFFFFFF, (y + k[(turn + 1) % 3] + turn) & 0xFFFFFFFF
    return x, y


def reference(key: keyrng.Key, index: int, n: int) -> int:
    row_key, column_key = keyrng.bits(keyrng.fold_in(key, n), (2,), "uint64").tolist()
    width = n.bit_length() // 2
    rows = -(-n // 2**width)
    rounds = 12
    while max(2, min(rows, 2**width)) ** rounds < 2**64:
        rounds += 12
    while True:
        row, column = divmod(index, 2**width)
        for i in range(0, rounds, 2):
            low, high = threefry(row_key, column, i)
            row = (row + ((high << 32 | low) * rows >> 64)) % rows
            column = (column + threefry(column_key, row, i + 1)[0]) % 2**width
        index = row * 2**width + column
        if index < n:
            return index


@each_algorithm
def test_against_whole_numbers(algorithm: str) -> None:
    key = keyrng.key(7, impl=algorithm)
    for n in (1, 2, 3, 5, 8, 13, 40, 300, 1680, 5000, *LARGE):
        index = sorted({i for i in (0, 1, n // 3, n // 2, n - 1) if i < n})
        expected = [reference(key, i, n) for i in index]

        assert keyrng.index_shuffle(key, index, n).tolist() == expected, n


# Values are API: changed only with a line under *Values* in CHANGELOG.md.
VALUES = {
    "threefry2x32": (1, 2, 3, 0, 4, 245021558085),
    "threefry4x32": (2, 1, 3, 0, 4, 514568988335),
    "threefry2x64": (0, 2, 4, 3, 1, 808099974564),
    "threefry4x64": (2, 4, 1, 0, 3, 708835838337),
    "philox4x32": (1, 0, 4, 2, 3, 594098005632),
    "philox2x64": (3, 2, 4, 1, 0, 500683332186),
    "philox4x64": (0, 1, 3, 4, 2, 541078968761),
}


@each_algorithm
def test_values(algorithm: str, path: str) -> None:
    key = keyrng.key(20_260_101, impl=algorithm)
    found = (*keyrng.index_shuffle(key, np.arange(5), 5).tolist(), int(keyrng.index_shuffle(key, 0, 10**12)))

    assert found == VALUES[algorithm]


# Laws and paths


@each_algorithm
def test_every_path_gives_the_same(algorithm: str, every_path: str) -> None:
    keys = keyrng.split(keyrng.key(3, impl=algorithm), (2, 3))
    for n in (6, 1000, 10**12, 2**63):
        index = (np.arange(40, dtype=np.uint64) * np.uint64(n // 41)).reshape(8, 5).astype(np.int64)
        for inverse in (False, True):
            batch = keyrng.index_shuffle(keys, index, n, inverse=inverse)
            with on("numpy"):
                expected = keyrng.index_shuffle(keys, index, n, inverse=inverse)

            assert_same(batch, expected, n, inverse)
            assert batch.shape == (2, 3, 8, 5)
            assert_same(batch[1, 2], keyrng.index_shuffle(keys[1, 2], index, n, inverse=inverse), n, inverse)
            assert_same(batch[1, 2, 3:, 1::2], keyrng.index_shuffle(keys[1, 2], index[3:, 1::2], n, inverse=inverse))
            one = keyrng.index_shuffle(keys[0, 1], int(index[7, 4]), n, inverse=inverse)
            assert isinstance(one, np.ndarray) and one.shape == () and one.dtype == np.int64
            assert one == batch[0, 1, 7, 4]


def test_long_arrays_and_threads() -> None:
    index = np.arange(2**19 + 77)
    n = 600_011  # one in a hundred goes through twice
    whole = keyrng.index_shuffle(KEY, index, n)
    try:
        keyrng.set_num_threads(1)
        alone = keyrng.index_shuffle(KEY, index, n)
    finally:
        keyrng.set_num_threads(None)

    assert_same(whole, alone)
    assert np.unique(whole).size == whole.size
    for first, stop in ((0, 3), (2**18 - 1, 2**18 + 1), (2**19, 2**19 + 77)):
        assert_same(keyrng.index_shuffle(KEY, index[first:stop], n), whole[first:stop])


def test_no_index_and_no_key(path: str) -> None:
    assert keyrng.index_shuffle(KEY, np.zeros((0, 3), int), 5).shape == (0, 3)
    assert keyrng.index_shuffle(keyrng.split(KEY, 0), np.arange(4), 5).shape == (0, 4)
    assert keyrng.index_shuffle(keyrng.split(KEY, 0), 4, 5).shape == (0,)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_index_of_every_integer_dtype(dtype: str) -> None:
    expected = keyrng.index_shuffle(KEY, [5, 99, 0], 100)

    for index in (np.array([5, 99, 0], dtype), np.array([5, 99, 0], np.dtype(dtype).newbyteorder())):
        assert_same(keyrng.index_shuffle(KEY, index, 100), expected)
    assert_same(keyrng.index_shuffle(KEY, np.array([5, 99, 0], object), 100), expected)
    assert_same(keyrng.index_shuffle(KEY, np.array([5, 99, 0], dtype), np.dtype(dtype).type(100)), expected)


def test_out(path: str) -> None:
    keys, index = keyrng.split(KEY, 3), np.arange(50)
    expected = keyrng.index_shuffle(keys, index, 50)
    for out in (np.empty((3, 50), np.int64), np.empty((50, 3), np.int64).T, np.empty((3, 100), np.int64)[:, ::2]):
        assert keyrng.index_shuffle(keys, index, 50, out=out) is out
        assert_same(out, expected)
    for inverse in (False, True):
        mine = index.copy()
        expected = keyrng.index_shuffle(KEY, index, 50, inverse=inverse)
        assert keyrng.index_shuffle(KEY, mine, 50, inverse=inverse, out=mine) is mine
        assert_same(mine, expected)
    single = np.empty((), np.int64)
    assert keyrng.index_shuffle(KEY, 3, 5, out=single) is single
    assert single == keyrng.index_shuffle(KEY, 3, 5)


def test_memory_does_not_grow_with_the_length() -> None:
    keyrng.index_shuffle(KEY, np.arange(10), 10**15)
    tracemalloc.start()
    try:
        keyrng.index_shuffle(KEY, np.arange(10), 10**15)
        keyrng.index_shuffle(KEY, np.arange(10), 2**63)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 100_000


# Uniform


def chi_square(counts: Array, expected: Any = None) -> float:
    stats = pytest.importorskip("scipy.stats")
    return float(stats.chisquare(np.ravel(counts), expected).pvalue)


def permutations(n: int, count: int, algorithm: str = "threefry2x32") -> Array:
    return keyrng.index_shuffle(keyrng.split(keyrng.key(n, impl=algorithm), count), np.arange(n), n)


def inversions(p: Array) -> Array:
    """How many later elements are smaller, for each element: the digits of the permutation's number, and its parity."""
    return np.stack([(p[:, i + 1 :] < p[:, i : i + 1]).sum(1) for i in range(p.shape[1])], axis=1)


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6, 7])
def test_every_permutation_is_as_likely(n: int) -> None:
    p = permutations(n, 60_000)
    number = np.zeros(len(p), np.int64)
    for i, digit in enumerate(inversions(p).T):
        number = number * (n - i) + digit

    assert chi_square(np.bincount(number, minlength=math.factorial(n))) > THRESHOLD


@each_algorithm
def test_every_permutation_of_four_with_every_algorithm(algorithm: str) -> None:
    digits = inversions(permutations(4, 50_000, algorithm))

    assert chi_square(np.bincount(digits[:, 0] * 6 + digits[:, 1] * 2 + digits[:, 2], minlength=24)) > THRESHOLD


def test_distance_from_uniform_of_the_smallest_rectangles() -> None:
    # Exactly, for independent uniform functions: after as many rounds as are run, over all permutations of the places.
    for rows, columns, n in ((2, 2, 4), (3, 2, 6)):
        everything = np.array(list(itertools.permutations(range(n))))
        number = {tuple(p): i for i, p in enumerate(everything.tolist())}
        probability = np.zeros(len(everything))
        probability[0] = 1
        rounds = []
        for side, length in ((0, rows), (1, columns)):
            row, column = np.divmod(everything, columns)
            steps = []
            for fixed in range((columns, rows)[side]):
                moves = []
                for by in range(length):
                    if side == 0:
                        moved = np.where(column == fixed, (row + by) % rows, row) * columns + column
                    else:
                        moved = row * columns + np.where(row == fixed, (column + by) % columns, column)
                    moves.append([number[tuple(p)] for p in moved.tolist()])
                steps.append(moves)
            rounds.append(steps)
        for i in range(_runs(rows, columns) * _ROUNDS):
            for moves in rounds[i % 2]:
                probability = sum(probability[move] for move in moves) / len(moves)

        assert np.abs(probability - 1 / len(everything)).sum() / 2 < 1e-10


@pytest.mark.parametrize(("n", "count"), [(8, 50_000), (10, 50_000), (100, 10_000), (1000, 1_000)])
def test_places_pairs_and_parity(n: int, count: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    p = permutations(n, count)

    table = np.bincount((np.arange(n) * n + p).ravel(), minlength=n * n)
    statistic = ((table - count / n) ** 2 / (count / n)).sum() * (n - 1) / n
    assert stats.chi2.sf(statistic, (n - 1) ** 2) > THRESHOLD
    # Neighbours, and places in one column or row of the rectangle: their distances are as likely, 0 excepted.
    for apart in (1, 2, 2 ** (n.bit_length() // 2)):
        distances = (p[:, apart] - p[:, 0]) % n
        first = np.bincount(distances, minlength=n)
        assert first[0] == 0
        assert chi_square(first[1:]) > THRESHOLD, apart
        every = (p[:, apart:] - p[:, :-apart]) % n
        assert chi_square(np.bincount(every[:, :: 2 * apart].ravel(), minlength=n)[1:]) > THRESHOLD, apart
    odd = int((inversions(p[:2_000]).sum(1) % 2).sum())
    assert stats.binomtest(odd, min(count, 2_000)).pvalue > THRESHOLD


@pytest.mark.parametrize("n", [2**16 - 1, 2**16 + 1, 10**12, 2**63 - 1, 2**63])
def test_neighbours_of_long_permutations_are_independent(n: int) -> None:
    count = min(n - 1, 2**18) // 2 * 2
    keys = keyrng.stack([keyrng.key(seed) for seed in range(2**14)])
    for step in {1, 2 ** (n.bit_length() // 2), n // count}:
        index = np.arange(min(count, (n - 1) // step // 2 * 2), dtype=np.int64) * step
        for shuffled in (
            keyrng.index_shuffle(KEY, index, n).reshape(-1, 2),
            keyrng.index_shuffle(keys, index[:2], n),
            keyrng.index_shuffle(keys, index[0], n).reshape(-1, 2),
        ):
            cell = np.minimum(shuffled / n * 8, 7).astype(int)
            counts = np.bincount(cell[:, 0] * 8 + cell[:, 1], minlength=64)

            assert chi_square(counts) > THRESHOLD, step


def test_too_few_rounds_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    # The control: one run of the kernel, 12 rounds, is not enough for 6 places.
    import sys

    monkeypatch.setattr(sys.modules["keyrng.distributions.index_shuffle"], "_runs", lambda rows, columns: 1)

    digits = inversions(permutations(6, 60_000))
    number = digits @ np.array([120, 24, 6, 2, 1, 0])
    assert chi_square(np.bincount(number, minlength=720)) < THRESHOLD
