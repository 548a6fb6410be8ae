"""Random orders: the elements of an array sorted by random words of 32 bits, in as many rounds as jax has.

`orders` gives whole orders, on any device; `first_k` gives the beginning of one without sorting all of it, on a CPU.
"""

from __future__ import annotations

from functools import partial
from math import isqrt, prod
from typing import NamedTuple

import numpy as np

from keyrng._core.dtypes import index_dtype
from keyrng._executors import sorting
from keyrng._executors.base import DrawSpec, ElementRange, Executor
from keyrng._executors.device import CPU, Device, device_at
from keyrng._executors.native import algorithm_number
from keyrng._executors.select import executor_for
from keyrng._executors.threads import run_pieces
from keyrng._keys.derive import Key
from keyrng._sampling.draw import run_ranges
from keyrng._sampling.parameters import Array
from keyrng.algorithms.base import Algorithm
from keyrng.distributions._shared.words import bits_kernel

_WORD = np.dtype(np.uint32)
_CHUNK = 1 << 17  # elements at a time: they stay in a cache, and threads seldom wait for Python's lock
_FEW = 200  # a few elements, one in so many or less, are found without sorting all
_MANY = 2  # from one in so many on, all are sorted


class SortKeys(NamedTuple):
    """The keys that the random words of one round are drawn from; ``words`` has shape (keys, key_words)."""

    algorithm: Algorithm
    words: Array
    device: Device
    executor: Executor

    def draw(self, elements: ElementRange) -> Array:
        """Random words, elements of each key, in shape (keys, count)."""
        out = self.device.empty((len(self.words), elements.count), _WORD)
        spec = DrawSpec((bits_kernel,), self.algorithm, self.words, out.shape, _WORD, _WORD)
        self.executor.fill(spec, elements, out)
        return out

    def of(self, first: int, stop: int) -> SortKeys:
        """Some of the keys."""
        return self._replace(words=self.words[first:stop])


def orders(key: Key, shape: tuple[int, ...], axis: int = 0) -> Array:
    """For each key the indices that the elements of an array, permuted along an axis, come from.

    They are counted over the whole array of that shape.
    """
    words, total, algorithm = key._words, prod(shape), key._algorithm
    keys = words.size // algorithm.key_words
    full = (*words.shape[:-1], *shape)
    if device_at(words) is not CPU:
        rounds = sort_keys(algorithm, words.reshape(keys, -1), total) if keys else []
        return _argsorted(rounds, keys, device_at(words), shape, axis).reshape(full)
    if total < 2 or not keys:
        return np.zeros(full, index_dtype(total))
    places = sorting.short_orders(algorithm, words, keys, total) if shape[axis] == total else None
    if places is None:
        rounds = sort_keys(algorithm, words.reshape(keys, -1), total)
        step = max(1, _CHUNK // total)
        parts = [_sorted([r.of(first, first + step) for r in rounds], shape, axis) for first in range(0, keys, step)]
        places = parts[0] if len(parts) == 1 else np.concatenate(parts)
    return _as_index(places, total).reshape(full)


def _as_index(places: Array, total: int) -> Array:
    """Places among so many elements as the integers of an index."""
    dtype = index_dtype(total)
    return places.view(dtype) if dtype.itemsize == places.itemsize else places.astype(dtype)


def sort_keys(algorithm: Algorithm, words: Array, total: int) -> list[SortKeys]:
    """The keys of each round: as few rounds as make (2**32 - 1)**rounds reach total**3, as jax has them.

    Keys and words have shape (keys, key_words). The first child of a key goes on to the next round, and the words of a
    round are drawn from the second.
    """
    if total > 2**32:
        raise ValueError(f"a permutation has at most 2**32 elements, got {total}")
    found: list[SortKeys] = []
    device, executor = device_at(words), executor_for(algorithm, words)
    for _ in range(sorting.rounds(total)):
        children = executor.children(algorithm, words, 0, 2)
        words, own = device.contiguous(children[:, 0]), device.contiguous(children[:, 1])
        found.append(SortKeys(algorithm, own, device, executor))
    return found


def _sorted(rounds: list[SortKeys], shape: tuple[int, ...], axis: int) -> Array:
    """The orders of some keys along an axis, sorted by the words of one round after the other."""
    keys, total, size = len(rounds[0].words), prod(shape), shape[axis]
    if keys == 1 and size == total:
        return _sorted_line(rounds, size)[np.newaxis]
    places = None
    if size < total:
        indices = np.moveaxis(np.arange(total, dtype=np.uint32).reshape(shape), axis, -1)
        places = np.ascontiguousarray(np.tile(indices.reshape(-1, size), (keys, 1)))
    for round_ in rounds:
        words = np.moveaxis(round_.draw(ElementRange(0, total, total)).reshape(keys, *shape), axis + 1, -1)
        lines = np.ascontiguousarray(words).reshape(-1, size)
        if size <= sorting.LINE:
            places = sorting.sort_lines(lines, places)
            continue
        own = [None] * len(lines) if places is None else places
        found = [sorting.sort_words(partial(_part, line), size, p) for line, p in zip(lines, own, strict=True)]
        places = np.stack(found)
    moved = np.asarray(places).reshape(keys, *_last(shape, axis))
    return np.moveaxis(moved, -1, axis + 1).reshape(keys, total)


def _sorted_line(rounds: list[SortKeys], size: int) -> Array:
    """The order of one key after one round or more."""
    places: Array | None = None
    for round_ in rounds:
        threads = algorithm_number(round_.algorithm) is not None
        places = sorting.sort_words(partial(_words, round_, size), size, places, threads=threads)
    return np.asarray(places)


def _words(round_: SortKeys, size: int, first: int, stop: int) -> Array:
    """The words ``first`` to ``stop`` of ``size`` of one key."""
    return round_.draw(ElementRange(first, stop - first, size)).reshape(-1)


def _part(words: Array, first: int, stop: int) -> Array:
    return words[first:stop]


# On a GPU: CuPy's argsort is stable and does not wait, so the orders are the same.


def _argsorted(rounds: list[SortKeys], keys: int, device: Device, shape: tuple[int, ...], axis: int) -> Array:
    """For each key the indices of an array's elements after each round has sorted the lines along an axis."""
    total = prod(shape)
    with device.current():
        xp = device.xp
        places = xp.arange(total, dtype=index_dtype(total)).reshape(shape)
        places = xp.broadcast_to(xp.moveaxis(places, axis, -1), (keys, *_last(shape, axis)))
        flat = places.reshape(-1)
        for round_ in rounds:
            lines = xp.moveaxis(round_.draw(ElementRange(0, total, total)).reshape(keys, *shape), axis + 1, -1)
            flat = flat.take(stable_order(lines.reshape(-1, shape[axis])))
        result: Array = xp.moveaxis(flat.reshape(places.shape), -1, axis + 1)
    return result


def _last(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return *shape[:axis], *shape[axis + 1 :], shape[axis]


def stable_order(lines: Array) -> Array:
    """The indices that the numbers of each line, unsigned ones, have in ascending order, counted over all lines."""
    xp = device_at(lines).xp
    count, size = lines.shape
    if count > 1 and lines.dtype != _WORD:
        places: Array = lines.argsort(axis=-1) + xp.arange(0, lines.size, size)[:, np.newaxis]
        return places.reshape(-1)
    if count > 1:  # one sort of all, by radix; of rows CuPy's is by comparison
        lines = (xp.arange(count, dtype=np.uint64) << np.uint64(32))[:, np.newaxis] | lines
    order: Array = lines.reshape(-1).argsort()
    return order


# The beginning of an order, without sorting all


def first_k(key: Key, size: int, count: int) -> Array:
    """The first ``count`` places of each key's order, exactly these.

    The order begins with the places of the smallest words of the last round. Each of these had some rank among
    the words of the round before, and so on back to the first.
    """
    device = device_at(key._words)
    if device is not CPU or size <= sorting.LINE or count > size // _MANY:
        return device.contiguous(orders(key, (size,))[..., :count])
    result = np.empty((key.size, count), np.uint32)
    rounds = sort_keys(key._algorithm, key._words.reshape(key.size, -1), size)
    for i in range(key.size):
        *others, last = (round_.of(i, i + 1) for round_ in rounds)
        result[i] = _smallest(last, size, count)
        if others and count > size // _FEW:
            result[i] = sorting.take(_sorted_line(others, size), result[i])
        else:
            for round_ in others[::-1]:
                result[i] = _at_ranks(round_, size, result[i])
    return _as_index(result, size).reshape(*key.shape, count)


def _smallest(round_: SortKeys, size: int, count: int) -> Array:
    """The places of the smallest words in ascending order."""
    found: list[tuple[int, Array, Array]] = []
    expected = count + 8 * isqrt(count) + 8  # enough, but for one time in many millions

    def piece(first: int, stop: int) -> None:
        words = _words(round_, size, first, stop)
        near = np.flatnonzero(words <= bound)
        found.append((first, words[near], (near + first).astype(np.uint32)))

    while sum(len(words) for _, words, _ in found) < count:
        found.clear()
        bound = np.uint32(min(2**32 * expected // size, 2**32 - 1))
        run_ranges(round_.algorithm, size, piece, _CHUNK)
        expected *= 2
    return _sort_found(found, int(bound) + 1)[:count]


def _sort_found(found: list[tuple[int, Array, Array]], limit: int) -> Array:
    """The places that were found, range by range, by their words, which are uniform below a limit."""
    found.sort(key=lambda part: part[0])  # threads find them in any order
    words, places = (np.concatenate([part[i] for part in found]) for i in (1, 2))
    up = 32 - (limit - 1).bit_length()
    words <<= np.uint32(up)
    return sorting.sort_words(partial(_part, words), len(words), places, limit=limit << up)


def _at_ranks(round_: SortKeys, size: int, ranks: Array) -> Array:
    """The places of the words at some ranks of their stable order.

    Words are uniform, so of those that begin with the same bits there are 32 to 64, or more where so many counts would
    leave the cache; only words that begin like one of a wanted rank are sorted.
    """
    bits = max(1, min(size.bit_length() - 6, 15))
    words = np.empty(size, _WORD)
    counted: list[Array] = []
    found: list[tuple[int, Array, Array]] = []

    def count(first: int, stop: int) -> None:
        words[first:stop] = _words(round_, size, first, stop)
        counted.append(sorting.histogram(words[first:stop], bits))

    def find(first: int, stop: int) -> None:
        found.append((first, *sorting.select(words[first:stop], first, bits, table)))

    run_ranges(round_.algorithm, size, count, _CHUNK)
    counts = np.asarray(np.sum(counted, axis=0, dtype=np.int64))
    leading = np.searchsorted(np.cumsum(counts), ranks, side="right")
    wanted = np.unique(leading)
    table = np.zeros(1 << bits, np.uint16)
    table[wanted] = np.arange(1, len(wanted) + 1)
    run_pieces(size, find, _CHUNK)
    counts[wanted] = 0
    left_out = np.cumsum(counts)
    places: Array = _sort_found(found, len(wanted) << (32 - bits))[ranks - left_out[leading]]
    return places
