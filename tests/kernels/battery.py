"""Short, well-known tests of random words: each accepts words and returns p-values, near 0 for bad words.

``words`` are of 32 bits, those of ``streams`` streams one by one: word i of stream j is ``words[i * streams + j]``.
Every p-value is of both ends: what is more regular than chance is as wrong as what is less.

Sources: Knuth, "The Art of Computer Programming", volume 2, third edition, section 3.3.2; Rukhin and others, "A
statistical test suite", NIST SP 800-22 rev. 1a; Marsaglia's DIEHARD (1995); L'Ecuyer and Simard, "TestU01", ACM
Transactions on Mathematical Software 33 (2007), article 22; Webster and Tavares, "On the design of S-boxes", in
CRYPTO '85.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from scipy import special

Array = np.ndarray[Any, np.dtype[Any]]
Test = Callable[[Array, int], list[float]]


def both_ends(below: float, above: float) -> float:
    """The p-value of a statistic, of the probabilities of less or as much, and of more or as much."""
    return float(min(1.0, 2 * min(below, above)))


def normal(z: float) -> float:
    return both_ends(special.ndtr(z), special.ndtr(-z))


def poisson(count: float, mean: float) -> float:
    return both_ends(special.pdtr(count, mean), special.pdtrc(count - 1, mean) if count else 1.0)


def chi_square(counts: Array, expected: Array | float) -> float:
    """Return the p-value of a chi-square test of counts with a fixed sum."""
    return sum_of_squares((counts - expected) / np.sqrt(expected), counts.size - 1)


def sum_of_squares(deviations: Array, freedom: int) -> float:
    square = float((deviations**2).sum())
    return both_ends(special.chdtr(freedom, square), special.chdtrc(freedom, square))


def ones(words: Array) -> int:
    return int(np.bitwise_count(words).sum(dtype=np.int64))


# Each test, with its source


def monobit(words: Array, streams: int) -> list[float]:
    """As many ones as zeros. NIST SP 800-22, 2.1."""
    bits = 32 * words.size
    return [normal((2 * ones(words) - bits) / bits**0.5)]


def bit_places(words: Array, streams: int) -> list[float]:
    """As many ones as zeros at each place of the words. DIEHARD's bit stream, place by place."""
    counts = np.array([ones(words & np.uint32(1 << place)) for place in range(32)])
    return [sum_of_squares((2 * counts - words.size) / words.size**0.5, 32)]


def runs(words: Array, streams: int) -> list[float]:
    """Half of all bits differ from the next one. NIST SP 800-22, 2.3, for the ones that are expected."""
    inside = ones((words ^ (words >> 1)) & np.uint32(0x7FFFFFFF))
    between = ones((words[:-1] ^ (words[1:] >> 31)) & np.uint32(1))
    pairs = 32 * words.size - 1
    return [normal((2 * (inside + between) - pairs) / pairs**0.5)]


def serial(words: Array, streams: int) -> list[float]:
    """All pairs of the first, and of the last, six bits of two words are as likely. Knuth, 3.3.2 B."""
    pairs = words.reshape(-1, 2)
    found = [(pairs[:, 0] >> shift & 63) << 6 | (pairs[:, 1] >> shift & 63) for shift in (26, 0)]
    return [chi_square(np.bincount(pair, minlength=4096), len(pairs) / 4096) for pair in found]


def gaps(words: Array, streams: int) -> list[float]:
    """The words between two that lie in the lowest sixteenth of the range. Knuth, 3.3.2 D."""
    lengths = np.diff(np.flatnonzero(words < 1 << 28)) - 1
    if lengths.size < 1000:
        return [poisson(lengths.size, words.size / 16)]
    most = 64
    expected = np.append((15 / 16) ** np.arange(most) / 16, (15 / 16) ** most) * lengths.size
    return [chi_square(np.bincount(np.minimum(lengths, most), minlength=most + 1), expected)]


def collisions(words: Array, streams: int) -> list[float]:
    """Words that fall into urns that are not empty: 2**27, by the first and by the last bits. Knuth, 3.3.2 I."""
    urns = 1 << 27
    filled = -urns * np.expm1(words.size * np.log1p(-1 / urns))
    found = [words.size - distinct(words >> 5), words.size - distinct(words & np.uint32(urns - 1))]
    return [poisson(count, words.size - filled) for count in found]


def distinct(values: Array) -> int:
    return 1 + int(np.count_nonzero(np.diff(np.sort(values))))


def birthdays(words: Array, streams: int) -> list[float]:
    """Spacings that occur twice among those of 4096 birthdays in a year of 2**32 days. Marsaglia; TestU01."""
    spacings = np.sort(np.diff(np.sort(words.reshape(-1, 4096), axis=1), axis=1), axis=1)
    twice = np.count_nonzero(np.diff(spacings, axis=1) == 0)
    return [poisson(twice, len(spacings) * 4096**3 / 2**34)]


def ranks(words: Array, streams: int) -> list[float]:
    """The ranks of matrices of 32 words over the field of two elements. DIEHARD."""
    rows = words.reshape(-1, 32).copy()
    rank = np.zeros(len(rows), int)
    for place in range(32):
        has = (rows >> np.uint32(place) & 1).astype(bool)
        # Rows that were a pivot are 0 from then on, so that all that have the bit can be one.
        pivot = np.take_along_axis(rows, has.argmax(axis=1)[:, None], axis=1)
        rank += has.any(axis=1)
        rows ^= np.where(has, pivot, 0).astype(np.uint32)
    counts = np.bincount(np.maximum(rank, 29) - 29, minlength=4)
    return [chi_square(counts, _rank_probabilities() * len(rows))]


@cache
def _rank_probabilities() -> Array:
    """Return the probabilities of ranks 29 or less, 30, 31 and 32."""
    n = 32
    found = []
    for r in (30, 31, 32):
        factors = [(1 - 2.0 ** (i - n)) ** 2 / (1 - 2.0 ** (i - r)) for i in range(r)]
        found.append(2.0 ** (r * (2 * n - r) - n * n) * np.prod(factors))
    return np.array([1 - sum(found), *found])


def hamming_weights(words: Array, streams: int) -> list[float]:
    """The weight of a word says nothing of that of the next one, in the row or in its stream. TestU01, HammingIndep."""
    weights = np.bitwise_count(words).astype(np.intp)
    light = special.bdtr(15, 32, 0.5)
    kind = np.array([light, 1 - 2 * light, light])
    classes = np.searchsorted([16, 17], weights, side="right")
    found = []
    for lag in dict.fromkeys((1, streams)):
        first, second = pairs_of(classes, lag)
        expected = np.outer(kind, kind).reshape(-1) * first.size
        found.append(chi_square(np.bincount(3 * first + second, minlength=9), expected))
    return found


def pairs_of(values: Array, lag: int) -> tuple[Array, Array]:
    """Values and those ``lag`` later, none of them in two pairs."""
    blocks = values[: values.size // (2 * lag) * 2 * lag].reshape(-1, 2, lag)
    return blocks[:, 0].reshape(-1), blocks[:, 1].reshape(-1)


def correlations(words: Array, streams: int) -> list[float]:
    """Words of two streams differ in half of their bits, and so do words of one stream. TestU01, AutoCor.

    Streams 1, 2, 3, 4 and 8 apart, where there are so many, and words as far apart in their stream.
    """
    lags = [lag for lag in (1, 2, 3, 4, 8) if lag < streams] + [lag * streams for lag in (1, 2, 3, 4, 8)]
    lags = [lag for lag in lags if lag <= words.size // 2]
    found = [ones(words[:-lag] ^ words[lag:]) for lag in lags]
    bits = [32 * (words.size - lag) for lag in lags]
    deviations = [(2 * count - n) / n**0.5 for count, n in zip(found, bits, strict=True)]
    return [sum_of_squares(np.array(deviations), len(lags))]


def avalanche(words: Array, streams: int) -> list[float]:
    """No bit of a word goes with any bit of the next one, in the row or in its own stream. Webster and Tavares."""
    found = []
    for lag in dict.fromkeys((1, streams)):
        count = (words.size - lag) // 64 * 64
        first, second = planes(words[:count]), planes(words[lag : lag + count])
        differ = np.array([[ones(plane ^ other) for other in second] for plane in first])
        found.append(sum_of_squares((2 * differ - count) / count**0.5, 1024))
    return found


def planes(words: Array) -> Array:
    """Each place of the words as a row of bits, packed."""
    bits = np.unpackbits(words.astype("<u4").view(np.uint8), bitorder="little").reshape(-1, 32)
    return np.packbits(np.ascontiguousarray(bits.T), axis=1).view(np.uint64)


TESTS: tuple[Test, ...] = (
    *(monobit, bit_places, runs, serial, gaps, collisions, birthdays, ranks),
    *(hamming_weights, correlations, avalanche),
)
