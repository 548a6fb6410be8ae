"""The algorithms: Random123's known answers on every path, and the order in which words are read from blocks.

The chain of evidence. On NumPy, the block function gives every known answer, for any length of array. The packed
integers (short draws of the NumPy path) take a counter as (index, draw, domain), which reaches every counter, so every
known answer is asked of them too. The compiled path takes a key and an index and only draws from draw number 0, which
reaches the counters of all but the 64- and 128-bit rows that are not zero; so the keys of the known answers go through
`bits`, `split` and `fold_in`, and every block they make, at counters written out here, is compared with NumPy's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import ALGORITHMS, CASES, Array, assert_same, each_algorithm, intercepted

import keyrng
from keyrng._executors import bigint
from keyrng._keys.create import wrap_key_data
from keyrng.algorithms import Algorithm, get

KNOWN = Path(__file__).parents[1] / "data" / "known-answers.txt"


@dataclass(frozen=True)
class Answer:
    """A known answer: the words of a counter, of a key and of their block."""

    name: str
    counter: list[int]
    key: list[int]
    block: list[int]

    @property
    def algorithm(self) -> Algorithm:
        return get(self.name)

    def __str__(self) -> str:
        return f"{self.name}-{self.counter[0]:x}"

    def wrapped(self) -> keyrng.Key:
        return wrap_key_data(np.array(self.key, self.algorithm.dtype), impl=self.name)


def known_answers() -> Iterator[Answer]:
    for line in KNOWN.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, *words = line.split()
            if name not in ALGORITHMS:
                continue
            algorithm, numbers = get(name), [int(word, 16) for word in words]
            n, k = algorithm.block_words, algorithm.key_words
            assert len(numbers) == 2 * n + k, line
            yield Answer(name, numbers[:n], numbers[n : n + k], numbers[n + k :])


ANSWERS = list(known_answers())
each_answer = pytest.mark.parametrize("answer", ANSWERS, ids=str)


def test_every_algorithm_has_three_known_answers():
    assert [a.name for a in ANSWERS].count("threefry2x32") == 3
    assert {a.name for a in ANSWERS} == set(ALGORITHMS) and len(ANSWERS) == 3 * len(ALGORITHMS)
    assert set(keyrng.algorithms.names()) >= set(ALGORITHMS)


@each_answer
@pytest.mark.parametrize("length", [1, 2, 1000])
def test_known_answer_on_arrays(answer: Answer, length: int) -> None:
    dtype = answer.algorithm.dtype
    counter = [np.full(length, word, dtype) for word in answer.counter]
    key = [np.full(length, word, dtype) for word in answer.key]

    for given in (key, [word[:1] for word in key]):
        block = answer.algorithm.block(given, counter)
        for word, expected in zip(block, answer.block, strict=True):
            assert word.dtype == dtype
            assert_same(np.broadcast_to(word, length), np.full(length, expected, dtype))


@each_answer
def test_known_answer_packed(answer: Answer) -> None:
    algorithm, c = answer.algorithm, answer.counter
    bits = algorithm.word_bits
    if algorithm.jax_layout:
        start, draw, domain = c[0] << 32 | c[1], 0, 0  # the draw number is the top byte of c[0]
    elif len(c) == 2:
        start, draw, domain = c[0], c[1] & 0xFFFFFFFF, c[1] >> 32
    else:
        start, draw, domain = c[0] | c[1] << bits, c[2], c[3]
    words = bigint.blocks(algorithm, np.array(answer.key, algorithm.dtype), start, 1, draw, domain)

    assert [int(word[0]) for word in words] == answer.block


# How words are read off blocks: the counters of docs/design/0003, written out.


def counters(algorithm: Algorithm, index: Array, draw: int, domain: int) -> list[Array]:
    """The counter of each block index, a column for each word."""
    full = np.zeros(index.shape, algorithm.dtype)
    if algorithm.jax_layout:
        return [np.uint32(draw << 24) | (index >> np.uint64(32)).astype(np.uint32), index.astype(np.uint32)]
    if algorithm.word_bits == 64 and algorithm.block_words == 2:
        return [index, full + np.uint64(domain << 32 | draw)]
    low, high = (
        (index, full)
        if algorithm.word_bits == 64
        else (index.astype(np.uint32), (index >> np.uint64(32)).astype(np.uint32))
    )
    return [low, high, full + algorithm.dtype.type(draw), full + algorithm.dtype.type(domain)]


def blocks(key: keyrng.Key, index: Array, draw: int, domain: int) -> Array:
    """The blocks of one key at some indices, on NumPy: shape (n, block_words)."""
    algorithm = key._algorithm
    words = [np.array([word], algorithm.dtype) for word in keyrng.key_data(key).tolist()]
    return np.stack(algorithm.block(words, counters(algorithm, index, draw, domain)), axis=-1)


def expected_bits(key: keyrng.Key, start: int, count: int, dtype: str) -> Array:
    """Return the expected result of `bits`, computed from blocks alone."""
    algorithm = key._algorithm
    if algorithm.jax_layout:
        high, low = blocks(key, np.arange(count, dtype=np.uint64) + np.uint64(start), 0, 0).T
        if dtype == "uint64":
            return high.astype(np.uint64) << np.uint64(32) | low
        return (high ^ low).astype(dtype)
    wide = np.uint64 if dtype == "uint64" else np.uint32
    each = algorithm.block_words * algorithm.word_bits // np.dtype(wide).itemsize // 8
    first, last = start // each, (start + count - 1) // each
    run = blocks(key, np.arange(last - first + 1, dtype=np.uint64) + np.uint64(first), 0, 0)
    return run.reshape(-1).view(wide)[start - first * each :][:count].astype(dtype)


# Every place where something carries: into the high word of an index, of a block's number with 2, 4 or 8 values each.
STARTS = (0, 1, 3, 2**32 - 5, 2**32 + 1, 2**33 - 3, 2**34 - 5, 2**35 - 7, 2**40 + 7, 2**55 + 1)

BITS = next(case for case in CASES if case.name == "bits")


@pytest.mark.parametrize("answer", ANSWERS, ids=str)
@pytest.mark.parametrize("dtype", BITS.dtypes)
def test_words_of_blocks(answer: Answer, dtype: str, path: str) -> None:
    key = answer.wrapped()
    keys = keyrng.stack([keyrng.key(5, impl=answer.name), key])
    assert_same(keyrng.bits(key, 4_099, dtype), expected_bits(key, 0, 4_099, dtype))
    for start in STARTS:
        for count in (1, 7, 1_100):
            expected = expected_bits(key, start, count, dtype)
            assert_same(intercepted(BITS, key, 1, dtype).slab(start, count), expected, start, count)
            assert_same(intercepted(BITS, keys, 1, dtype).slab(start, count)[1], expected, start, count, "keys")


@pytest.mark.parametrize("answer", ANSWERS, ids=str)
def test_children_of_blocks(answer: Answer, path: str) -> None:
    key, size = answer.wrapped(), answer.algorithm.key_words
    expected = blocks(key, np.arange(1_000, dtype=np.uint64), 0, 1)[:, :size]
    assert_same(keyrng.key_data(keyrng.split(key, 1_000)), expected)
    assert_same(keyrng.key_data(keyrng.split(key, 3)), expected[:3])

    far = np.array([2**32 - 1, 2**32, 2**40 + 3, 2**63, 2**64 - 1], np.uint64)
    expected = blocks(key, far, 0, 1)[:, :size]
    assert_same(keyrng.key_data(keyrng.fold_in(key, far)), expected)
    for number, words in zip(far.tolist(), expected, strict=True):
        assert_same(keyrng.key_data(keyrng.fold_in(key, number)), words)


@each_algorithm
def test_samples_and_children_meet_only_with_threefry2x32(algorithm: str) -> None:
    key = keyrng.key(3, impl=algorithm)
    words = keyrng.key_data(keyrng.split(key, 1_000))
    samples = keyrng.bits(key, 8_000, words.dtype)
    if algorithm == "threefry2x32":
        assert_same(words[:, 0] ^ words[:, 1], samples[:1_000])
    else:
        # 4,000 words among 8,000: two of 32 bits are equal by chance once in a hundred.
        assert not np.isin(words, samples).any()


# The draws of a rejection loop


def words_of_attempts(lane: Any) -> Any:
    """A kernel that shows the first word of the first attempt."""
    return lane.rejection_loop(lambda attempt: ((word := attempt.bits()) == word, word))


def rare(lane: Any) -> Any:
    """A kernel that needs 128 attempts of two words on average, so many that draw numbers run out."""
    return lane.rejection_loop(lambda attempt: (attempt.bits() < 2**25, attempt.bits()))


@each_algorithm
def test_attempts_have_blocks_of_their_own(algorithm: str) -> None:
    key = keyrng.key(3, impl=algorithm)
    for dtype in ("uint32", "uint64"):
        sample = keyrng.sample_kernel(words_of_attempts, key, (300,), dtype)

        block = blocks(key, np.arange(300, dtype=np.uint64), 1, 0)
        first = block[:, 0].astype(np.uint64)
        if key._algorithm.word_bits == 32 and dtype == "uint64":
            second = block[:, 1].astype(np.uint64)
            high, low = (first, second) if key._algorithm.jax_layout else (second, first)
            first = high << np.uint64(32) | low
        assert_same(sample, first.astype(dtype))


@each_algorithm
@pytest.mark.turns(4)
def test_draw_numbers_run_out(algorithm: str) -> None:
    # With threefry2x32 the key is folded after draw 255; the block at the counter of all ones is the next key.
    key = keyrng.key(3, impl=algorithm)
    sample = keyrng.sample_kernel(rare, key, (500,), "uint32")

    kind = key._algorithm
    expected, longest = np.zeros(25, np.uint32), 0
    for i in range(25):
        used, draw, at = key, 0, []
        while True:
            draw += 1
            if kind.jax_layout and draw % 256 == 0:
                ones = [np.array([0xFFFFFFFF], np.uint32)] * 2
                words = [np.array([word], np.uint32) for word in keyrng.key_data(used).tolist()]
                used = wrap_key_data(np.concatenate(kind.block(words, ones)), impl=algorithm)
            number = draw % 256 if kind.jax_layout else draw
            at = blocks(used, np.array([i], np.uint64), number, 0)[0].view(np.uint32)
            if at[0] < 2**25:
                break
        expected[i], longest = at[1], max(longest, draw)

    assert longest > 256
    assert_same(sample[:25], expected)
    assert_same(keyrng.sample_kernel(rare, keyrng.stack([key, key]), (500,), "uint32")[1], sample)
    assert_same(keyrng.sample_kernel(rare, key, (3,), "uint32"), expected[:3])
